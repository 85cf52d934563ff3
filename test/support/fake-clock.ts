// A clock that stands still until a test moves it. Timers fire in order, within advance().
import type { Clock } from "../../src/core/clock.ts";

/** A clock in a test's hands. */
export interface FakeClock extends Clock {
  /** Lets time pass and fires what falls due, in order. */
  advance(milliseconds: number): void;
  /** How many timers are waiting. */
  readonly waiting: number;
}

/** Opens a clock that starts at zero; its wall time starts on 2026-01-01. */
export function fakeClock(): FakeClock {
  let nowMs = 0;
  let order = 0;
  const timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();
  return {
    monotonicMs: () => nowMs,
    wallMs: () => Date.UTC(2026, 0, 1) + nowMs,
    schedule(delayMs, callback) {
      order += 1;
      const key = order;
      timers.set(key, { atMs: nowMs + Math.max(0, delayMs), callback });
      return () => timers.delete(key);
    },
    advance(milliseconds) {
      const endMs = nowMs + milliseconds;
      for (;;) {
        const due = [...timers]
          .filter(([, { atMs }]) => atMs <= endMs)
          .sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
        if (due === undefined) break;
        timers.delete(due[0]);
        nowMs = Math.max(nowMs, due[1].atMs);
        due[1].callback();
      }
      nowMs = endMs;
    },
    get waiting() {
      return timers.size;
    },
  };
}
