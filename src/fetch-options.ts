// What a host-side fetch is made with. Types only, and of the public API.
import type { RequestSummary } from "./egress/record.ts";
import type { LivePolicy } from "./load-policy.ts";
import type { Policy } from "./policy/policy.ts";

/** Headers as `fetch` takes them. A list keeps repeats and spelling. */
export type FetchHeaders =
  | Headers
  | Readonly<Record<string, string>>
  | readonly (readonly [string, string])[];

/** What `sandbox.fetch` takes beside the URL. */
export interface FetchOptions {
  /** In whose name: limits and connections are this guest's. All its fetches draw on one budget. */
  readonly guest: string;
  readonly policy: Policy | LivePolicy;
  /** Default `GET`; sent exactly as written. */
  readonly method?: string;
  readonly headers?: FetchHeaders;
  /** A stream is sent while it is read; more than `requestBody` cuts it off. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** Where the rule is silent: `follow` (default), `manual` (the 3xx is returned) or `error`. */
  readonly redirect?: "follow" | "manual" | "error";
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for a rate or for another response to close; default 0: the request fails at once. */
  readonly limitWaitMs?: number;
  /** Called once, when the request has ended. What it throws becomes a warning of the process. */
  readonly onRequest?: (summary: RequestSummary) => unknown;
}
