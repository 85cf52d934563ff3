// The only source of time, so that tests can bring their own. Nothing else calls Date.now,
// performance.now or setTimeout.

/** Time as the program sees it. */
export interface Clock {
  /** Milliseconds that never go back; for durations, limits and deadlines. */
  monotonicMs(): number;
  /** Milliseconds since 1970 UTC; for records only, never for order or deadlines. */
  wallMs(): number;
  /**
   * Calls back once after `delayMs`; the returned function cancels. Keeps the process alive until then, so that
   * whoever waits is told; with `idle`, for what nobody waits for, it does not.
   */
  schedule(delayMs: number, callback: () => void, options?: { readonly idle?: boolean }): () => void;
}

// setTimeout takes a signed 32-bit delay and fires at once beyond it; longer waits are re-armed.
const timerDelayMsMax = 2 ** 31 - 1;

// Date.now has whole milliseconds, too coarse for spans; the fraction comes from the monotonic clock. When somebody
// sets the machine's clock, the two part, and we start afresh.
const partedMs = 20;
let aheadMs = Date.now() - performance.now();

function wallMs(): number {
  const nowMs = performance.now() + aheadMs;
  const dateMs = Date.now();
  if (Math.abs(nowMs - dateMs) <= partedMs) return nowMs;
  aheadMs = dateMs - performance.now();
  return dateMs;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs,
  schedule(delayMs, callback, { idle = false } = {}) {
    const endMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = endMs - performance.now();
      const next = leftMs > timerDelayMsMax ? arm : callback;
      timer = setTimeout(next, Math.min(Math.max(leftMs, 0), timerDelayMsMax));
      if (idle) timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
