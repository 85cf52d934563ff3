// Rates, permits and budgets: what is taken, what is given back, and what a guest cannot get round.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Permit } from "../../src/egress/limiter.ts";
import { openGuestLimiter, openRunSpending } from "../../src/egress/limiter.ts";
import type { ResolvedLimits } from "../../src/policy/policy.ts";
import { fakeClock } from "../support/fake-clock.ts";

const wide: ResolvedLimits = {
  rate: { count: 1_000_000, perMs: 1000 },
  burst: 1_000_000,
  concurrent: 1000,
  requests: 1_000_000,
  requestBodyBytes: 1e9,
  responseBodyBytes: 1e9,
  bytesOut: 1e12,
  bytesIn: 1e12,
  timeoutMs: 30_000,
};

function opened(guest: Partial<ResolvedLimits> = {}, concurrentMax?: number) {
  const clock = fakeClock();
  const limiter = openGuestLimiter({ ...wide, ...guest }, clock);
  return { clock, limiter, run: limiter.openRun(openRunSpending(), concurrentMax) };
}

describe("limiter", () => {
  test("a permit is counted until it is given back, and given back once", () => {
    const { limiter, run } = opened({ concurrent: 2 });
    const first = run.admit("a", wide, undefined);
    run.admit("a", wide, undefined);
    expect(run.admit("a", wide, undefined)).toMatchObject({
      ok: false,
      error: { reason: "concurrency_exceeded", limit: "guest.concurrent", value: 2 },
    });
    if (first.ok) {
      first.value.release();
      first.value.release();
    }
    expect(limiter.inFlight()).toBe(1);
    expect(run.admit("a", wide, undefined).ok).toBe(true);
    expect(run.admit("a", wide, undefined).ok).toBe(false);
  });

  test("a rule's own concurrency holds beside the guest's", () => {
    const { run } = opened();
    expect(run.admit("a", { ...wide, concurrent: 1 }, undefined).ok).toBe(true);
    expect(run.admit("a", { ...wide, concurrent: 1 }, undefined)).toMatchObject({
      error: { reason: "concurrency_exceeded", limit: "rule.concurrent", value: 1 },
    });
    expect(run.admit("b", { ...wide, concurrent: 1 }, undefined).ok).toBe(true);
  });

  test("the embedder's cap of zero allows no open response", () => {
    expect(opened({}, 0).run.admit("a", wide, undefined)).toMatchObject({
      error: { reason: "concurrency_exceeded", limit: "run.concurrent", value: 0 },
    });
  });

  test("a redirect trades its permit in: one slot is enough for the whole chain", () => {
    const { limiter, run } = opened({ concurrent: 1 });
    let held: Permit | undefined;
    for (const rule of ["a", "b", "a"]) {
      const admitted = run.admit(rule, { ...wide, concurrent: 1 }, held);
      expect(admitted.ok).toBe(true);
      if (admitted.ok) held = admitted.value;
    }
    expect(limiter.inFlight()).toBe(1);
  });

  test("the rate is asked before the concurrency, and a refusal takes no place in it", () => {
    const { run } = opened({ rate: { count: 1, perMs: 1000 }, burst: 1, concurrent: 1 });
    for (let round = 0; round < 3; round += 1) {
      expect(run.admit("a", { ...wide, concurrent: 0 }, undefined)).toMatchObject({
        error: { reason: "concurrency_exceeded" },
      });
    }
    expect(run.admit("a", wide, undefined).ok).toBe(true);
    expect(run.admit("a", wide, undefined)).toMatchObject({ error: { reason: "rate_limited", retry: 1000 } });
  });

  test("rates and permits are the guest's: another run does not bring fresh ones", () => {
    const { limiter, run, clock } = opened({ rate: { count: 2, perMs: 1000 }, burst: 2 });
    expect(run.admit("a", wide, undefined).ok).toBe(true);
    expect(limiter.openRun(openRunSpending(), undefined).admit("a", wide, undefined).ok).toBe(true);
    expect(limiter.openRun(openRunSpending(), undefined).admit("a", wide, undefined)).toMatchObject({
      error: { reason: "rate_limited", limit: "guest.rate" },
    });
    clock.advance(500);
    expect(limiter.openRun(openRunSpending(), undefined).admit("a", wide, undefined).ok).toBe(true);
  });

  test("total requests and bytes are counted for one run", () => {
    const { limiter, run } = opened({ requests: 1, bytesIn: 10 });
    expect(run.admit("a", wide, undefined).ok).toBe(true);
    expect(run.admit("a", wide, undefined)).toMatchObject({ error: { reason: "request_budget_exhausted" } });
    expect(run.spendIn("a", wide, 10).ok).toBe(true);
    expect(run.spendIn("a", wide, 1)).toMatchObject({
      error: { reason: "byte_budget_exhausted", limit: "guest.bytesIn", value: 10 },
    });
    expect(limiter.openRun(openRunSpending(), undefined).admit("a", wide, undefined).ok).toBe(true);
  });

  test("a rule's byte budget ends that rule's requests only", () => {
    const { run } = opened();
    expect(run.spendOut("a", { ...wide, bytesOut: 5 }, 6)).toMatchObject({
      error: { reason: "byte_budget_exhausted", limit: "rule.bytesOut" },
    });
    expect(run.spendOut("b", wide, 6).ok).toBe(true);
  });

  test("different names per minute are bounded, a known name is free, and time gives names back", () => {
    const { run, clock } = opened();
    for (let index = 0; index < 120; index += 1) expect(run.admitName(`n${String(index)}`).ok).toBe(true);
    expect(run.admitName("n5").ok).toBe(true);
    expect(run.admitName("another")).toMatchObject({
      error: { reason: "rate_limited", limit: "guest.names" },
    });
    clock.advance(60_000);
    expect(run.admitName("another").ok).toBe(true);
  });

  // Goal: after any interleaving of admissions and releases nothing is held that nobody holds.
  test("permits in the hands of callers are exactly the permits counted", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(5)), { maxLength: 100 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 5 }), (moves, concurrent) => {
        const { limiter, run } = opened({ concurrent });
        const held: Permit[] = [];
        for (const [take, index] of moves) {
          if (take) {
            const admitted = run.admit(`r${String(index)}`, { ...wide, concurrent: 3 }, undefined);
            if (admitted.ok) held.push(admitted.value);
          } else held.splice(index, 1)[0]?.release();
          expect(limiter.inFlight()).toBe(held.length);
          expect(held.length).toBeLessThanOrEqual(concurrent);
        }
      }),
    );
  });
});
