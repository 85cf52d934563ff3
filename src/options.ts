// Checks what an embedder passed in, before anything is started. Every complaint names the option and the remedy.

import { bounds } from "./core/bounds.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import { trustFor } from "./egress/connect.ts";
import type { FetchOptions } from "./fetch-options.ts";
import { checkArguments } from "./guest/thread/wasi/wasi.ts";
import { isPolicy } from "./load-policy.ts";
import type { RunOptions } from "./run-options.ts";
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
  checkResolve(options.resolve);
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
export function checkFetchOptions(options: FetchOptions): void {
  checkGuest(options?.guest);
  checkPolicy(options.policy);
  checkSignal(options.signal);
  if (options.method !== undefined && typeof options.method !== "string") {
    throw invalid('method: write a text, such as "GET"');
  }
  if (!["follow", "manual", "error", undefined].includes(options.redirect)) {
    throw invalid("redirect: write follow, manual or error");
  }
  checkHeaders(options.headers);
}

function checkHeaders(headers: unknown): void {
  if (headers === undefined || headers instanceof Headers) return;
  const fields: unknown =
    typeof headers === "object" && headers !== null && !Array.isArray(headers)
      ? Object.entries(headers)
      : headers;
  const isField = (field: unknown): boolean =>
    Array.isArray(field) && field.length === 2 && field.every((part) => typeof part === "string");
  if (!Array.isArray(fields) || !fields.every(isField)) {
    throw invalid(
      'headers: write a Headers, a record of texts, or a list such as [["accept", "text/plain"]]',
    );
  }
}

/** @throws SallyportError `option_invalid`. */
export function checkRunOptions(wasm: unknown, options: RunOptions): CheckedRunOptions {
  if (!(wasm instanceof Uint8Array)) throw invalid("wasm: give the module's bytes as a Uint8Array");
  checkGuest(options?.guest);
  checkPolicy(options.policy);
  checkSignal(options.signal);
  checkStreams(options);
  const { timeoutMs = bounds.runTimeoutMsDefault, memoryBytesMax = bounds.guestMemoryBytesDefault } = options;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0))
    throw invalid("timeoutMs: write milliseconds, 0 or more");
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
  if (typeof limitWaitMs !== "number" || !(limitWaitMs >= 0))
    throw invalid("limitWaitMs: write milliseconds, 0 or more");
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
  const given = isRecord(policy) && "current" in policy ? policy.current : policy;
  if (!isPolicy(given)) throw invalid("policy: give what loadPolicy, parsePolicy or livePolicy returned");
}

function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw invalid("signal: give an AbortSignal, such as the `signal` of an AbortController");
}

function checkStreams({ stdin, stdout, stderr }: RunOptions): void {
  if (stdin !== undefined && !(stdin instanceof ReadableStream)) {
    throw invalid("stdin: give a web ReadableStream; Readable.toWeb makes one");
  }
  for (const [name, stream] of Object.entries({ stdout, stderr })) {
    if (stream === undefined) continue;
    if (!(stream instanceof WritableStream)) {
      throw invalid(`${name}: give a web WritableStream; Writable.toWeb makes one`);
    }
    if (stream.locked)
      throw invalid(`${name}: somebody else writes to this stream; release its writer first`);
  }
  if (stdout !== undefined && stdout === stderr)
    throw invalid("stderr: is the stream of stdout; give it its own");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function checkResolve(resolve: unknown): void {
  if (resolve === undefined || typeof resolve === "function") return;
  const isList = (answers: unknown): boolean =>
    Array.isArray(answers) && answers.every((answer) => typeof answer === "string");
  if (!isRecord(resolve) || !Object.values(resolve).every(isList)) {
    throw invalid('resolve: write a function, or a table of lists such as { "api.test": ["127.0.0.1"] }');
  }
}
