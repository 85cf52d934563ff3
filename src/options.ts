// Checks what an embedder passed in, before anything is started. Every complaint names the option and the remedy.

import { bounds } from "./core/bounds.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import { trustFor } from "./egress/connect.ts";
import { checkArguments } from "./guest/thread/wasi/wasi.ts";
import type { RunOptions } from "./run.ts";
import type { SandboxOptions } from "./sandbox.ts";

/** Run options with their defaults. */
export interface CheckedRunOptions {
  readonly args: readonly string[];
  readonly env: readonly (readonly [string, string])[];
  readonly invoke: string;
  readonly name: string;
  readonly timeoutMs: number;
  readonly memoryBytesMax: number;
}

function invalid(message: string): SallyportError {
  return new SallyportError("option_invalid", message);
}

/** @throws SallyportError `option_invalid`. */
export function checkSandboxOptions(options: SandboxOptions): {
  readonly ca: readonly string[];
  readonly warmGuests: number;
} {
  const ca = options.ca === undefined ? [] : [options.ca].flat();
  try {
    trustFor(ca);
  } catch (cause) {
    const remedy = "give the PEM text, from BEGIN CERTIFICATE to END CERTIFICATE";
    throw new SallyportError(
      "option_invalid",
      `ca: holds something that is no certificate; ${remedy}`,
      cause,
    );
  }
  const warmGuests = options.warmGuests ?? 1;
  if (!Number.isInteger(warmGuests) || warmGuests < 0 || warmGuests > bounds.guestsRunningMax) {
    throw invalid(`warmGuests: write a whole number from 0 to ${String(bounds.guestsRunningMax)}`);
  }
  if (options.audit !== undefined && (typeof options.audit.dir !== "string" || options.audit.dir === "")) {
    throw invalid("audit.dir: write the path of a folder");
  }
  return { ca, warmGuests };
}

/** @throws SallyportError `option_invalid`. */
export function checkFetchOptions(options: { readonly guest: string; readonly policy: unknown }): void {
  checkGuest(options?.guest);
  checkPolicy(options.policy);
}

/** @throws SallyportError `option_invalid`. */
export function checkRunOptions(options: RunOptions): CheckedRunOptions {
  checkGuest(options?.guest);
  checkPolicy(options.policy);
  const { timeoutMs = bounds.runTimeoutMsDefault, memoryBytesMax = bounds.guestMemoryBytesDefault } = options;
  if (!(timeoutMs >= 0)) throw invalid("timeoutMs: write milliseconds, 0 or more");
  if (
    !Number.isInteger(memoryBytesMax) ||
    memoryBytesMax < 0 ||
    memoryBytesMax > bounds.guestMemoryBytesMax
  ) {
    throw invalid(`memoryBytesMax: write bytes, at most ${String(bounds.guestMemoryBytesMax)}`);
  }
  const { concurrent } = options;
  if (concurrent !== undefined && (!Number.isInteger(concurrent) || concurrent < 0)) {
    throw invalid("concurrent: write a whole number; 0 allows no open response");
  }
  const args = options.args ?? [];
  const env = Object.entries(options.env ?? {});
  const name = options.name ?? options.guest;
  const problem = checkArguments([name, ...args], env);
  if (problem !== undefined) throw invalid(problem);
  return { args, env, name, timeoutMs, memoryBytesMax, invoke: options.invoke ?? "_start" };
}

/** @throws SallyportError `option_invalid`. */
export function checkLimitWait(limitWaitMs = 0): number {
  if (!(limitWaitMs >= 0)) throw invalid("limitWaitMs: write milliseconds, 0 or more");
  return limitWaitMs;
}

function checkGuest(guest: unknown): void {
  if (typeof guest !== "string" || guest === "" || guest.length > bounds.guestNameLengthMax) {
    throw invalid(
      `guest: write the guest's id, 1 to ${String(bounds.guestNameLengthMax)} characters, such as "tenant-42/weather"`,
    );
  }
}

function checkPolicy(policy: unknown): void {
  if (typeof policy === "object" && policy !== null && ("rules" in policy || "current" in policy)) return;
  throw invalid("policy: give what loadPolicy or parsePolicy returned");
}
