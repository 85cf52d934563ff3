// The arithmetic of a request rate, the generic cell rate algorithm: one number of state, no timers.
// It must never let a burst of one window meet the burst of the next, as counters per window do.
import type { Rate } from "../policy/policy.ts";

/** Says whether a request may go now, and counts those that go. */
export interface RateLimit {
  /** `0` when a request may go, otherwise the milliseconds until one may; `Infinity` when none ever may. */
  waitMs(nowMs: number): number;
  /** Takes a request's place; to be called only when `waitMs` was `0` at the same moment. */
  take(nowMs: number): void;
}

/**
 * A rate of `rate.count` per `rate.perMs`, with `burst` requests at once after a pause.
 * Bound, for any arrivals: within t milliseconds at most `burst + t * count / perMs` requests pass.
 */
export function openRateLimit(rate: Rate, burst: number): RateLimit {
  if (rate.count === 0 || burst === 0) return { waitMs: () => Number.POSITIVE_INFINITY, take() {} };
  const intervalMs = rate.perMs / rate.count;
  const toleranceMs = intervalMs * (burst - 1);
  // The theoretical arrival time of the next request, were all requests evenly spaced.
  let arrivalMs = Number.NEGATIVE_INFINITY;
  return {
    waitMs(nowMs) {
      // A billionth of an interval of slack: sums of intervals such as 1000/3 do not meet exactly.
      const waitMs = arrivalMs - toleranceMs - nowMs;
      return waitMs > intervalMs * 1e-9 ? waitMs : 0;
    },
    take(nowMs) {
      arrivalMs = Math.max(arrivalMs, nowMs) + intervalMs;
    },
  };
}
