// One run of one guest: module, session, output, result.
// It must never let a guest's output or requests grow without bound in the host's memory.

import { bounds } from "./core/bounds.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import { denialOf } from "./egress/denial.ts";
import type { RunStatus } from "./egress/record.ts";
import type { GuestEnd, GuestPool } from "./guest/pool.ts";
import { prepareModule } from "./guest/prepare-module.ts";
import { checkLimitWait, checkRunOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import type { RunOptions, RunResult } from "./run-options.ts";
import type { Session, SessionParts } from "./session.ts";
import { openSession } from "./session.ts";

/** What runs share. */
export interface RunParts {
  readonly parts: SessionParts;
  readonly guests: GuestPool;
  readonly register: (session: Session) => () => void;
}

/** Runs a guest to its end. */
export async function runGuest(shared: RunParts, wasm: Uint8Array, options: RunOptions): Promise<RunResult> {
  const checked = checkRunOptions(wasm, options);
  const { clock } = shared.parts;
  const startMs = clock.monotonicMs();
  const prepared = await prepareModule(wasm, { memoryBytesMax: checked.memoryBytesMax });
  if (!prepared.ok) throw moduleError(prepared.error);
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
  const stdout = openOutput(options.stdout, bounds.outputBytesMax);
  const stderr = openOutput(options.stderr, bounds.outputBytesMax);
  let end: GuestEnd = { kind: "aborted" };
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
      timeoutMs: checked.timeoutMs - (clock.monotonicMs() - startMs),
    });
  } finally {
    unregister();
    session.abort(denialOf(end.kind === "deadline" ? "run_deadline_exceeded" : "guest_terminated"));
    await session.end(statusOf(end));
    await Promise.all([stdout.finish(), stderr.finish()]);
  }
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
