// The rate arithmetic against its closed form, and at its edges.
import fc from "fast-check";
import { expect, test } from "vitest";
import { openRateLimit } from "../../src/egress/rate-limit.ts";
import type { Rate } from "../../src/policy/policy.ts";

/** A rate whose `take` asks first, as the limiter does. */
function openAsked(rate: Rate, burst: number): { take(nowMs: number): number } {
  const limit = openRateLimit(rate, burst);
  return {
    take(nowMs) {
      const waitMs = limit.waitMs(nowMs);
      if (waitMs === 0) limit.take(nowMs);
      return waitMs;
    },
  };
}

test("a burst passes at once, then one request per interval", () => {
  const limit = openAsked({ count: 60, perMs: 60_000 }, 3);
  expect([0, 0, 0].map((nowMs) => limit.take(nowMs))).toEqual([0, 0, 0]);
  expect(limit.take(0)).toBe(1000);
  expect(limit.take(999)).toBe(1);
  expect(limit.take(1000)).toBe(0);
  expect(limit.take(1000)).toBe(1000);
});

test("a refused request takes no place", () => {
  const limit = openAsked({ count: 1, perMs: 1000 }, 1);
  expect(limit.take(0)).toBe(0);
  for (let nowMs = 1; nowMs < 1000; nowMs += 1) expect(limit.take(nowMs)).toBeGreaterThan(0);
  expect(limit.take(1000)).toBe(0);
});

test("zero is none, not unlimited", () => {
  expect(openAsked({ count: 0, perMs: 1000 }, 5).take(0)).toBe(Number.POSITIVE_INFINITY);
  expect(openAsked({ count: 5, perMs: 1000 }, 0).take(1e9)).toBe(Number.POSITIVE_INFINITY);
});

// Goal: no arrivals beat the envelope, and evenly spaced ones are never refused.
test("no arrivals pass more than the burst and the rate allow", () => {
  const arrivals = fc.array(fc.nat(500), { maxLength: 200 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      arrivals,
      (count, burst, gapsMs) => {
        const limit = openAsked({ count, perMs: 1000 }, burst);
        let nowMs = 0;
        let passed = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (limit.take(nowMs) === 0) passed += 1;
          expect(passed).toBeLessThanOrEqual(burst + (nowMs * count) / 1000 + 1e-6);
        }
      },
    ),
  );
});

test("requests at exactly the rate all pass, whatever the rate", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), (count) => {
      const limit = openAsked({ count, perMs: 1000 }, 1);
      for (let index = 0; index < 300; index += 1) expect(limit.take((index * 1000) / count)).toBe(0);
    }),
  );
});
