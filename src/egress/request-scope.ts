// The life of one guest request: one abort signal that every wait listens to, and one total deadline.
// It must never abort without a Denial as its reason: whoever is woken says that reason.

import type { Clock } from "../core/clock.ts";
import { denialOf, denialOfSignal } from "./denial.ts";
import type { Denial } from "./message.ts";

/** Holds the signal and the deadline of one request. */
export interface RequestScope {
  /** Aborts with a `Denial` as reason. */
  readonly signal: AbortSignal;
  /** Moves the deadline nearer: `timeoutMs` after the request's start. It never moves away. */
  tighten(timeoutMs: number): void;
  /** Aborts for a reason found within the request. */
  abort(denial: Denial): void;
  /** The reason of the abort, once there was one. */
  denial(): Denial | undefined;
  /** Ends the scope: no timer and no listener is left. */
  dispose(): void;
}

/** Opens the scope; `outer` are the signals of the caller and of the guest's run. */
export function openRequestScope(clock: Clock, outer: readonly AbortSignal[]): RequestScope {
  const controller = new AbortController();
  const startMs = clock.monotonicMs();
  let timeoutMs = Number.POSITIVE_INFINITY;
  let cancelTimer: (() => void) | undefined;

  const onAbort = (event: Event): void => abortFrom(event.target as AbortSignal);
  function abortFrom(signal: AbortSignal): void {
    controller.abort(denialOfSignal(signal));
  }
  for (const signal of outer) {
    if (signal.aborted) abortFrom(signal);
    else signal.addEventListener("abort", onAbort);
  }

  return {
    signal: controller.signal,
    tighten(nextMs) {
      if (nextMs >= timeoutMs) return;
      timeoutMs = nextMs;
      cancelTimer?.();
      const leftMs = startMs + timeoutMs - clock.monotonicMs();
      const expire = (): void =>
        controller.abort(denialOf("request_timeout", `after ${String(timeoutMs)} ms`));
      // `0` means no time at all, not no limit.
      if (leftMs <= 0) expire();
      else cancelTimer = clock.schedule(leftMs, expire);
    },
    abort: (denial) => controller.abort(denial),
    denial: () => (controller.signal.aborted ? (controller.signal.reason as Denial) : undefined),
    dispose() {
      cancelTimer?.();
      for (const signal of outer) signal.removeEventListener("abort", onAbort);
    },
  };
}
