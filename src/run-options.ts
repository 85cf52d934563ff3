// What a run is started with, and what comes back. Types only, and of the public API: nothing of a guest's inside.
import type { Context } from "@opentelemetry/api";
import type { RequestSummary, RunTotals } from "./egress/record.ts";
import type { LivePolicy } from "./load-policy.ts";
import type { Policy } from "./policy/policy.ts";

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
  /** Default: at its end from the start. Cancelled when the guest ends, unless it never read. */
  readonly stdin?: ReadableStream<Uint8Array>;
  /** Default: the first MiB is kept in the result. Not closed when the guest ends. */
  readonly stdout?: WritableStream<Uint8Array>;
  readonly stderr?: WritableStream<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Milliseconds from call to end, the preparation of the module included; default five minutes; `0` is no time. */
  readonly timeoutMs?: number;
  /** Default 256 MiB. */
  readonly memoryBytesMax?: number;
  /** The most responses open at once, under the policy's own limit; `0` is none. */
  readonly concurrent?: number;
  /** Milliseconds that a request may wait for a rate or for another response to close; default 0: it fails at once. */
  readonly limitWaitMs?: number;
  /** Called once for every request when it has ended. What it throws becomes a warning of the process. */
  readonly onRequest?: (summary: RequestSummary) => unknown;
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
