// Admission with patience: waits for a rate or a permit as long as the embedder allows, then says what the limiter says.
// It must never wait for what cannot come, nor keep a place while it waits.
import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import type { ResolvedLimits } from "../policy/policy.ts";
import type { LimitFault, Permit, RunLimiter } from "./limiter.ts";

/** Who asks to be admitted, and how long they may wait. */
export interface Admission {
  readonly ruleId: string;
  readonly limits: ResolvedLimits;
  /** The permit of the hop before, which is traded in. */
  readonly held: Permit | undefined;
  /** Milliseconds; `0` fails at once. */
  readonly waitMsMax: number;
  readonly clock: Clock;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** Admits one hop, at once or within `waitMsMax`. Nobody is promised to be served in order. */
export async function admitHop(
  limiter: RunLimiter,
  { ruleId, limits, held, waitMsMax, clock, signal }: Admission,
): Promise<Result<Permit, LimitFault>> {
  const endMs = clock.monotonicMs() + waitMsMax;
  for (;;) {
    const admitted = limiter.admit(ruleId, limits, held);
    if (admitted.ok || admitted.error.retry === undefined || signal.aborted) return admitted;
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return admitted;
    await changed(limiter, admitted.error.retry, leftMs, clock, signal);
  }
}

/** Resolves when asking again may help, when the time is up, or when the signal aborts. */
function changed(
  limiter: RunLimiter,
  retry: number | "release",
  leftMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancelTimer();
      cancelRelease?.();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancelTimer = clock.schedule(retry === "release" ? leftMs : Math.min(retry, leftMs), done);
    const cancelRelease = retry === "release" ? limiter.onRelease(done) : undefined;
    signal.addEventListener("abort", done);
  });
}
