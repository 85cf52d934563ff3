// Limits: defaults, what a burst is, and how a rule's limits and the guest's go together.
import { describe, expect, test } from "vitest";
import {
  guestLimitDefaults,
  resolveGuestLimits,
  resolveLimits,
  ruleLimitDefaults,
} from "../../src/policy/limits.ts";
import { judge, policyOf } from "../support/policies.ts";

function limitsOf(text: string): unknown {
  const decision = judge(
    policyOf(`{ version: 1, rules: [{ id: a, to: "https://a.example", limits: ${text} }] }`),
    "GET",
    "https://a.example/",
  );
  if (decision.effect === "deny") throw new Error(decision.reason);
  return decision.limits;
}

describe("limits", () => {
  test("have finite defaults, every one of them", () => {
    for (const limits of [
      guestLimitDefaults,
      ruleLimitDefaults,
      resolveGuestLimits({}, []),
      limitsOf("{}"),
    ]) {
      for (const value of Object.values(limits as object).flatMap((limit) =>
        typeof limit === "number" ? limit : Object.values(limit as object),
      )) {
        expect(Number.isSafeInteger(value) && value > 0).toBe(true);
      }
    }
  });

  const written: readonly (readonly [string, object])[] = [
    ["{ rate: 60/min }", { rate: { count: 60, perMs: 60_000 }, burst: 60 }],
    ["{ rate: 100/s }", { rate: { count: 100, perMs: 1_000 }, burst: 100 }],
    ["{ rate: 5/h, burst: 2 }", { rate: { count: 5, perMs: 3_600_000 }, burst: 2 }],
    ["{ burst: 3 }", { rate: guestLimitDefaults.rate, burst: 3 }],
    ["{ rate: 0 }", { rate: { count: 0, perMs: 1_000 }, burst: 0 }],
    ["{ rate: 0/min }", { rate: { count: 0, perMs: 60_000 }, burst: 0 }],
    ["{ concurrent: 0, requests: 0 }", { concurrent: 0, requests: 0 }],
    [
      "{ requestBody: 0, responseBody: 0B, timeout: 0 }",
      { requestBodyBytes: 0, responseBodyBytes: 0, timeoutMs: 0 },
    ],
    [
      "{ requestBody: 1B, responseBody: 2KiB, bytesOut: 3MiB, bytesIn: 4GiB }",
      { requestBodyBytes: 1, responseBodyBytes: 2_048, bytesOut: 3_145_728, bytesIn: 4_294_967_296 },
    ],
    ["{ timeout: 250ms }", { timeoutMs: 250 }],
    ["{ timeout: 5s }", { timeoutMs: 5_000 }],
    ["{ timeout: 2m }", { timeoutMs: 120_000 }],
    ["{ timeout: 1h }", { timeoutMs: 3_600_000 }],
  ];
  for (const [text, expected] of written) {
    test(`${text} is ${JSON.stringify(expected)} and the defaults`, () => {
      expect(limitsOf(text)).toEqual({ ...ruleLimitDefaults, ...expected });
    });
  }

  test("of the guest are raised by rules where the document is silent, and never where it speaks", () => {
    const rules =
      "[{ id: a, to: 'https://a.example', limits: { timeout: 2m, concurrent: 500, rate: 20000/s } }]";
    const silent = policyOf(`{ version: 1, rules: ${rules} }`).limits;
    expect(silent).toEqual({
      ...guestLimitDefaults,
      timeoutMs: 120_000,
      concurrent: 500,
      rate: { count: 20_000, perMs: 1_000 },
      burst: 20_000,
    });
    const spoken = policyOf(`{ version: 1, rules: ${rules}, limits: { timeout: 1m, rate: 1/s } }`).limits;
    expect(spoken).toEqual({
      ...guestLimitDefaults,
      timeoutMs: 60_000,
      concurrent: 500,
      rate: { count: 1, perMs: 1_000 },
      burst: 1,
    });
  });

  test("of deny rules count for nothing", () => {
    const policy = policyOf(
      "{ version: 1, rules: [{ id: a, effect: deny, to: 'https://a.example', limits: { timeout: 9h } }] }",
    );
    expect(policy.limits).toEqual(guestLimitDefaults);
  });

  test("do not change what they were made of", () => {
    expect(resolveLimits({ timeoutMs: 1 }, guestLimitDefaults).timeoutMs).toBe(1);
    expect(guestLimitDefaults.timeoutMs).toBe(30_000);
    expect(Object.isFrozen(guestLimitDefaults)).toBe(true);
  });
});
