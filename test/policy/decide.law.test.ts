// The laws of decide over random policies and requests, and an independent evaluator that must agree with it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grantText, vetAddresses } from "../../src/policy/addresses.ts";
import { decide } from "../../src/policy/decide.ts";
import type { Decision, Policy } from "../../src/policy/policy.ts";
import { parseIp } from "../../src/url/ip-address.ts";
import { destinationOf, respell } from "../support/arbitraries.ts";
import { decideNaively, type PlainRule } from "../support/naive-policy.ts";
import { judge, plainRules, policyOfRules, requestMethods, urls } from "../support/policies.ts";

const request = fc.record({ method: requestMethods, url: urls });
const requests = fc.array(request, { minLength: 4, maxLength: 12 });

const addresses = [
  "127.0.0.1",
  "10.0.0.1",
  "169.254.169.254",
  "169.254.1.1",
  "93.184.216.34",
  "2001:db8::1",
  "::1",
].map((text) => {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(text);
  return ip;
});

/** What a decision lets a guest reach: nothing, or some of the addresses above. */
function reach(decision: Decision): ReadonlySet<string> {
  if (decision.effect === "deny") return new Set();
  return new Set(addresses.filter((ip) => vetAddresses(decision.grants, [ip]).ok).map((ip) => ip.text));
}

function reaches(
  policy: Policy,
  method: string,
  url: string,
): { allowed: boolean; addresses: ReadonlySet<string> } {
  const decision = judge(policy, method, url);
  return { allowed: decision.effect === "allow", addresses: reach(decision) };
}

function withId(rules: readonly PlainRule[], id: string): readonly PlainRule[] {
  return rules.slice(0, 1).map((rule) => ({ ...rule, id }));
}

describe("decide", () => {
  test("agrees with a slow scan of the list in effect, reason, rule, grants and deny rules about addresses", () => {
    fc.assert(
      fc.property(plainRules, requests, (rules, asked) => {
        const policy = policyOfRules(rules);
        for (const { method, url } of asked) {
          const destination = destinationOf(url);
          const decision = decide(policy, { method, destination });
          const { everything, grants, denied } = decision.grants;
          const told = {
            effect: decision.effect,
            reason: decision.effect === "deny" ? decision.reason : undefined,
            rule: decision.rule?.id,
            everything,
            grants: grants.map(grantText),
            deniedBy: denied.map((entry) => entry.rule.id),
          };
          expect(told, `${method} ${url}`).toEqual({
            reason: undefined,
            rule: undefined,
            ...decideNaively(rules, method, destination),
          });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("never depends on the order of rules, patterns, methods, paths or addresses", () => {
    const shuffled = plainRules.chain((rules) =>
      fc.tuple(fc.constant(rules), fc.shuffledSubarray([...rules], { minLength: rules.length })),
    );
    const reversed = (rule: PlainRule): PlainRule => ({
      ...rule,
      to: rule.to.toReversed(),
      ...(rule.methods === undefined ? {} : { methods: rule.methods.toReversed() }),
      ...(rule.paths === undefined ? {} : { paths: rule.paths.toReversed() }),
      ...(rule.addresses === undefined ? {} : { addresses: rule.addresses.toReversed() }),
    });
    fc.assert(
      fc.property(shuffled, requests, ([rules, others], asked) => {
        const policy = policyOfRules(rules);
        const other = policyOfRules(others.map(reversed));
        expect(other.canonical).toBe(policy.canonical);
        for (const { method, url } of asked) {
          const [one, two] = [judge(policy, method, url), judge(other, method, url)];
          expect([two.effect, two.rule?.id, two.grants.key]).toEqual([
            one.effect,
            one.rule?.id,
            one.grants.key,
          ]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("allows nothing more when a deny rule is added", () => {
    fc.assert(
      fc.property(plainRules, plainRules, requests, (rules, more, asked) => {
        const added = withId(more, "added").map((rule) => ({ ...rule, effect: "deny" as const }));
        const [before, after] = [policyOfRules(rules), policyOfRules([...rules, ...added])];
        for (const { method, url } of asked) {
          const [was, is] = [reaches(before, method, url), reaches(after, method, url)];
          expect(was.allowed || !is.allowed).toBe(true);
          expect(is.addresses.isSubsetOf(was.addresses)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("denies nothing more when an allow rule is added", () => {
    fc.assert(
      fc.property(plainRules, plainRules, requests, (rules, more, asked) => {
        const added = withId(more, "added").map((rule) => ({ ...rule, effect: "allow" as const }));
        const [before, after] = [policyOfRules(rules), policyOfRules([...rules, ...added])];
        for (const { method, url } of asked) {
          const [was, is] = [reaches(before, method, url), reaches(after, method, url)];
          expect(is.allowed || !was.allowed).toBe(true);
          expect(was.addresses.isSubsetOf(is.addresses)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("denies whatever a deny rule matches, whatever else the policy says", () => {
    fc.assert(
      fc.property(plainRules, requests, (rules, asked) => {
        const denyAlone = rules.filter((rule) => rule.effect === "deny" && rule.addresses === undefined);
        const [policy, strict] = [policyOfRules(rules), policyOfRules(denyAlone)];
        for (const { method, url } of asked) {
          const alone = judge(strict, method, url);
          if (alone.effect !== "deny" || alone.reason !== "rule_denied") continue;
          expect(judge(policy, method, url)).toMatchObject({
            effect: "deny",
            reason: "rule_denied",
            rule: { id: alone.rule?.id },
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  test("says the same about every spelling of a URL", () => {
    const spelled = urls.chain((url) => respell(url).map((spelling) => ({ url, spelling })));
    fc.assert(
      fc.property(
        plainRules,
        fc.array(spelled, { minLength: 3, maxLength: 6 }),
        requestMethods,
        (rules, asked, method) => {
          const policy = policyOfRules(rules);
          for (const { url, spelling } of asked) {
            expect(judge(policy, method, spelling), spelling).toEqual(judge(policy, method, url));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("gives one key to equal treatment of addresses, and only to that", () => {
    fc.assert(
      fc.property(plainRules, requests, (rules, asked) => {
        const policy = policyOfRules(rules);
        const byKey = new Map<string, string>();
        for (const { method, url } of asked) {
          const { key, everything, grants, denied } = judge(policy, method, url).grants;
          const treatment = JSON.stringify([
            everything,
            grants.map(grantText),
            denied.map((entry) => entry.rule.id),
          ]);
          expect(byKey.get(key) ?? treatment).toBe(treatment);
          byKey.set(key, treatment);
        }
        expect(new Set(byKey.values()).size).toBe(byKey.size);
      }),
      { numRuns: 150 },
    );
  });
});
