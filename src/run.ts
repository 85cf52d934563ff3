// One run of one guest: module, session, output, result.
// It must never let a guest's output or requests grow without bound in the host's memory.

import type { Context } from "@opentelemetry/api";
import { bounds } from "./core/bounds.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import { denialOf } from "./egress/denial.ts";
import type { RequestSummary, RunStatus, RunTotals } from "./egress/record.ts";
import type { GuestEnd, GuestPool } from "./guest/pool.ts";
import { prepareModule } from "./guest/prepare-module.ts";
import type { LivePolicy } from "./load-policy.ts";
import { checkLimitWait, checkRunOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import type { Policy } from "./policy/policy.ts";
import type { Session, SessionParts } from "./session.ts";
import { openSession } from "./session.ts";

/** What a run is started with. */
export interface RunOptions {
  /** The guest's id: names it in limits, spans and records. Never taken from guest input. */
  readonly guest: string;
  readonly policy: Policy | LivePolicy;
  /** Arguments after `argv[0]`, and the arguments of `invoke`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The export to call; default `_start`, or nothing beyond `_initialize` for a reactor that has none. */
  readonly invoke?: string;
  /** `argv[0]`; default: the guest's id. */
  readonly name?: string;
  /** Default: at its end from the start. */
  readonly stdin?: ReadableStream<Uint8Array>;
  /** Default: the first MiB is kept in the result. */
  readonly stdout?: WritableStream<Uint8Array>;
  readonly stderr?: WritableStream<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Milliseconds from call to end; default five minutes. */
  readonly timeoutMs?: number;
  /** Default 256 MiB. */
  readonly memoryBytesMax?: number;
  /** The most responses open at once, under the policy's own limit; `0` is none. */
  readonly concurrent?: number;
  /** Milliseconds that a request may wait for a rate or for another response to close; default 0: it fails at once. */
  readonly limitWaitMs?: number;
  /** Called once for every request when it has ended. */
  readonly onRequest?: (summary: RequestSummary) => void;
  /** The span context under which the run's span stands; default: the active one. */
  readonly parentContext?: Context;
}

/** How a run ended. */
export type RunEnd =
  | { readonly kind: "exited"; readonly code: number; readonly results: readonly string[] }
  | { readonly kind: "trapped"; readonly message: string }
  | { readonly kind: "deadline" }
  | { readonly kind: "aborted"; readonly reason: unknown };

/** How a run ended, and what it left behind. */
export type RunResult = RunEnd & {
  readonly runId: string;
  /** What the guest wrote, at most 1 MiB; empty when a stream took it. */
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly requests: RunTotals;
};

/** What runs share. */
export interface RunParts {
  readonly parts: SessionParts;
  readonly guests: GuestPool;
  readonly register: (session: Session) => () => void;
}

/** Runs a guest to its end. */
export async function runGuest(shared: RunParts, wasm: Uint8Array, options: RunOptions): Promise<RunResult> {
  const checked = checkRunOptions(options);
  const prepared = await prepareModule(wasm, { memoryBytesMax: checked.memoryBytesMax });
  if (!prepared.ok) throw moduleError(prepared.error);
  const stdout = openOutput(options.stdout, bounds.outputBytesMax);
  const stderr = openOutput(options.stderr, bounds.outputBytesMax);
  const session = await openSession(shared.parts, {
    guest: options.guest,
    moduleSha256: prepared.value.sha256,
    policy: options.policy,
    redirects: "follow",
    kind: "run",
    limitWaitMs: checkLimitWait(options.limitWaitMs),
    concurrent: Math.min(options.concurrent ?? bounds.openResponsesMax, bounds.openResponsesMax),
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
    ...(options.parentContext === undefined ? {} : { parentContext: options.parentContext }),
  });
  const unregister = shared.register(session);
  let end: GuestEnd;
  try {
    end = await shared.guests.run({
      module: prepared.value,
      gate: session.gate,
      invoke: checked.invoke,
      name: checked.name,
      args: checked.args,
      env: checked.env,
      stdin: options.stdin,
      stdout: stdout.write,
      stderr: stderr.write,
      signal: options.signal ?? new AbortController().signal,
      timeoutMs: checked.timeoutMs,
    });
  } catch (fault) {
    session.abort(denialOf("guest_terminated"));
    await session.end("aborted");
    throw fault;
  } finally {
    unregister();
  }
  session.abort(denialOf(end.kind === "deadline" ? "run_deadline_exceeded" : "guest_terminated"));
  await session.end(statusOf(end));
  await Promise.all([stdout.finish(), stderr.finish()]);
  if (end.kind === "rejected") throw moduleError(end.problem);
  return {
    ...(end.kind === "aborted" ? { kind: "aborted", reason: options.signal?.reason } : end),
    runId: session.runId,
    stdout: stdout.kept(),
    stderr: stderr.kept(),
    requests: session.totals(),
  };
}

function statusOf(end: GuestEnd): RunStatus {
  if (end.kind === "exited") return "ok";
  return end.kind === "rejected" ? "aborted" : end.kind;
}

function moduleError(problem: { readonly message: string; readonly remedy: string }): SallyportError {
  return new SallyportError("module_invalid", `${problem.message}\n  ${problem.remedy}`);
}
