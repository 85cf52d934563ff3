// Waiting for a limit: as long as allowed, for what can come, and not a moment after the signal.
import { describe, expect, test } from "vitest";
import { admitHop } from "../../src/egress/admission.ts";
import { openGuestLimiter, openRunSpending } from "../../src/egress/limiter.ts";
import { ruleLimitDefaults } from "../../src/policy/limits.ts";
import type { ResolvedLimits } from "../../src/policy/policy.ts";
import { fakeClock } from "../support/fake-clock.ts";

function opened(limits: Partial<ResolvedLimits>, waitMsMax: number) {
  const clock = fakeClock();
  const guest: ResolvedLimits = { ...ruleLimitDefaults, ...limits };
  const run = openGuestLimiter(guest, clock).openRun(openRunSpending(), undefined);
  const controller = new AbortController();
  const admit = () =>
    admitHop(run, {
      ruleId: "a",
      limits: ruleLimitDefaults,
      held: undefined,
      waitMsMax,
      clock,
      signal: controller.signal,
    });
  return { clock, admit, controller };
}

describe("admission", () => {
  test("fails at once where nobody may wait", async () => {
    const { admit, clock } = opened({ concurrent: 1 }, 0);
    expect((await admit()).ok).toBe(true);
    expect(await admit()).toMatchObject({ ok: false, error: { reason: "concurrency_exceeded" } });
    expect(clock.waiting).toBe(0);
  });

  test("waits for a permit and gets it when it is given back", async () => {
    const { admit, clock } = opened({ concurrent: 1 }, 1_000);
    const first = await admit();
    const second = admit();
    clock.advance(500);
    if (first.ok) first.value.release();
    expect((await second).ok).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  test("waits for a rate exactly as long as it takes", async () => {
    const { admit, clock } = opened({ rate: { count: 2, perMs: 1_000 }, burst: 1 }, 1_000);
    expect((await admit()).ok).toBe(true);
    let admitted = false;
    const second = admit().then((result) => {
      admitted = result.ok;
    });
    clock.advance(499);
    await Promise.resolve();
    expect(admitted).toBe(false);
    clock.advance(1);
    await second;
    expect(admitted).toBe(true);
  });

  test("gives up when the time is up, with what the limiter said", async () => {
    const { admit, clock } = opened({ rate: { count: 1, perMs: 60_000 }, burst: 1 }, 1_000);
    await admit();
    const second = admit();
    clock.advance(1_000);
    expect(await second).toMatchObject({ ok: false, error: { reason: "rate_limited" } });
    expect(clock.waiting).toBe(0);
  });

  test("does not wait for what cannot come", async () => {
    for (const limits of [{ concurrent: 0 }, { requests: 0 }, { rate: { count: 0, perMs: 1_000 } }]) {
      const { admit, clock } = opened(limits, 1_000);
      expect((await admit()).ok).toBe(false);
      expect(clock.waiting).toBe(0);
    }
  });

  test("ends with the signal", async () => {
    const { admit, clock, controller } = opened({ concurrent: 1 }, 1_000);
    await admit();
    const second = admit();
    controller.abort();
    expect((await second).ok).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  test("serves everybody in the end when many wait for one permit", async () => {
    const { admit } = opened({ concurrent: 1 }, 10_000);
    let served = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const admitted = await admit();
        if (!admitted.ok) return;
        served += 1;
        await Promise.resolve();
        admitted.value.release();
      }),
    );
    expect(served).toBe(50);
  });
});
