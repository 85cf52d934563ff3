// Explanations: the facts of a decision, and the rules that came nearest to a denied request.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vetAddresses } from "../../src/policy/addresses.ts";
import { parsePolicy } from "../../src/policy/document.ts";
import { type Explanation, explainDecision, hostMatches, pathsAllow } from "../../src/policy/explain.ts";
import { parseIp } from "../../src/url/ip-address.ts";
import { destinationOf } from "../support/arbitraries.ts";
import { judge, plainRules, policyOfRules, requestMethods, urls } from "../support/policies.ts";

const text = `version: 1
rules:
  - { id: api, to: [https://api.example, "https://api.example:8443"], methods: [GET], paths: [/v1/**], addresses: [10.0.0.0/8], redirects: return }
  - { id: other, to: https://api.example, methods: [PUT] }
  - { id: far, to: http://cache.example }
  - { id: no-admin, effect: deny, to: https://api.example, paths: [/v1/admin] }
  - { id: not-there, effect: deny, to: https://api.example, addresses: [10.9.0.0/16] }
`;

function explain(method: string, url: string, ...addresses: readonly string[]): Explanation {
  const { policy } = parsePolicy(text, { file: "p.yaml" });
  if (policy === undefined) throw new Error("no policy");
  const decision = judge(policy, method, url);
  const ips = addresses.flatMap((address) => parseIp(address) ?? []);
  const verdict = addresses.length === 0 ? undefined : vetAddresses(decision.grants, ips);
  return explainDecision(policy, { method, destination: destinationOf(url) }, decision, verdict);
}

describe("an explanation", () => {
  test("of an allowed request tells rule, place, limits, grants and settings", () => {
    expect(explain("GET", "https://api.example/v1/x")).toMatchObject({
      effect: "allow",
      rule: { id: "api", file: "p.yaml", line: 3, column: 7 },
      limits: { timeoutMs: 30_000 },
      grants: ["10.0.0.0/8"],
      deniedRanges: [{ rule: { id: "not-there", line: 7 }, ranges: ["10.9.0.0/16"] }],
      redirects: "return",
      traceparent: false,
      nearMisses: [],
    });
  });

  test("of a deny rule names it", () => {
    expect(explain("GET", "https://api.example/v1/admin")).toMatchObject({
      effect: "deny",
      reason: "rule_denied",
      stage: "policy",
      rule: { id: "no-admin", line: 6 },
      nearMisses: [],
    });
  });

  test("of addresses that are refused is a denial of the address stage", () => {
    expect(explain("GET", "https://api.example/v1/x", "10.1.0.1")).toMatchObject({
      effect: "allow",
      addresses: { ok: true },
    });
    expect(explain("GET", "https://api.example/v1/x", "127.0.0.1")).toMatchObject({
      effect: "deny",
      reason: "address_forbidden",
      stage: "address",
      rule: { id: "api" },
      addresses: { range: "loopback", address: "127.0.0.1" },
    });
    expect(explain("GET", "https://api.example/v1/x", "10.9.0.1")).toMatchObject({
      rule: { id: "not-there" },
      addresses: { range: "denied_by_rule" },
    });
  });

  const misses: readonly (readonly [string, string, readonly unknown[]])[] = [
    ["GET", "https://api.example/v2", [["api", "path", ["/v1/**"]]]],
    [
      "POST",
      "https://api.example/",
      [
        ["api", "method", ["GET"]],
        ["other", "method", ["PUT"]],
      ],
    ],
    [
      "GET",
      "https://api.example:1/",
      [
        ["api", "port", ["https://api.example", "https://api.example:8443"]],
        ["other", "port", ["https://api.example"]],
      ],
    ],
    ["GET", "http://b.example/", [["far", "host", ["http://cache.example"]]]],
    ["TRACE", "https://api.example/", []],
  ];
  for (const [method, url, expected] of misses) {
    test(`of ${method} ${url} shows the rules that came nearest`, () => {
      expect(
        explain(method, url).nearMisses.map(({ rule, failedAt, has }) => [rule.id, failedAt, has]),
      ).toEqual(expected);
    });
  }

  test("shows ten rules at most", () => {
    const rules = Array.from({ length: 30 }, (_, index) => ({
      id: `r${index}`,
      effect: "allow" as const,
      to: [`https://h${index}.example`],
    }));
    const policy = policyOfRules(rules);
    const request = { method: "GET", destination: destinationOf("https://x.example/") };
    expect(
      explainDecision(policy, request, judge(policy, "GET", "https://x.example/")).nearMisses,
    ).toHaveLength(10);
  });

  test("looks at rules in its own way and finds what decide found", () => {
    fc.assert(
      fc.property(plainRules, requestMethods, urls, (rules, method, url) => {
        const policy = policyOfRules(rules);
        const destination = destinationOf(url);
        const decision = judge(policy, method, url);
        const { nearMisses } = explainDecision(policy, { method, destination }, decision);
        const matching = policy.rules.filter(
          (rule) =>
            rule.effect === "allow" &&
            (rule.methods?.includes(method) ?? true) &&
            pathsAllow(rule, destination.path) &&
            rule.to.some(
              (pattern) =>
                pattern.kind === "everything" ||
                (pattern.scheme === destination.scheme &&
                  hostMatches(pattern.host, destination) &&
                  pattern.portFirst <= destination.port &&
                  destination.port <= pattern.portLast),
            ),
        );
        if (decision.effect === "allow") expect(matching.map(({ id }) => id)).toContain(decision.rule.id);
        else if (decision.reason !== "rule_denied" && !decision.evenInReportMode) {
          expect(matching).toEqual([]);
          const part = decision.reason.replace("ip_literal", "host").replace("_not_allowed", "");
          for (const { failedAt } of nearMisses) expect(failedAt).toBe(part);
        }
      }),
      { numRuns: 300 },
    );
  });
});
