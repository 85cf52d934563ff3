// The arithmetic of a request rate, the generic cell rate algorithm: one number of state, no timers.
// It must never let a burst of one window meet the burst of the next, as counters per window do.
import type { Rate } from "../policy/policy.ts";

/** Says whether a request may go now; takes its place when it may. */
export interface RateLimit {
  /** `0` when the request may go, otherwise the milliseconds until one may; `Infinity` when none ever may. */
  take(nowMs: number): number;
}

/**
 * A rate of `rate.count` per `rate.perMs`, with `burst` requests at once after a pause.
 * Bound, for any arrivals: within t milliseconds at most `burst + t * count / perMs` requests pass.
 */
export function openRateLimit(rate: Rate, burst: number): RateLimit {
  if (rate.count === 0 || burst === 0) return { take: () => Number.POSITIVE_INFINITY };
  const intervalMs = rate.perMs / rate.count;
  const toleranceMs = intervalMs * (burst - 1);
  // The theoretical arrival time of the next request, were all requests evenly spaced.
  let arrivalMs = Number.NEGATIVE_INFINITY;
  return {
    take(nowMs) {
      // A billionth of an interval of slack: sums of intervals such as 1000/3 do not meet exactly.
      const waitMs = arrivalMs - toleranceMs - nowMs;
      if (waitMs > intervalMs * 1e-9) return waitMs;
      arrivalMs = Math.max(arrivalMs, nowMs) + intervalMs;
      return 0;
    },
  };
}
