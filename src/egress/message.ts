// What passes between a guest's side and the gate. Holds no logic.
// INVARIANT (guest sees codes only): a Denial is the operator's; an ABI turns it into its own coarse code.
import type { AddressRange, Reason, ReasonKind, Stage } from "../core/reason.ts";
import type { Result } from "../core/result.ts";
import type { Destination } from "../url/destination.ts";

/** One header line; names in the case in which they came unless said otherwise. */
export type HeaderField = readonly [name: string, value: string];

/** A request's body: bytes, or a source that is read as fast as the server takes it. A source is read once. */
export type RequestBody = Uint8Array | AsyncIterable<Uint8Array>;

/** What a guest asks for: text that nobody has looked at yet. */
export interface GuestRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly HeaderField[];
  /** Absent or empty: no body. */
  readonly body: RequestBody | undefined;
}

/** What one hop asks for, once its URL has been parsed. */
export interface HopRequest {
  readonly method: string;
  readonly destination: Destination;
  readonly headers: readonly HeaderField[];
  readonly body?: RequestBody | undefined;
}

/** Why a request, or the rest of its body, is not to be had. For the operator, never for the guest. */
export interface Denial {
  readonly reason: Reason;
  /** The reason's own stage, or `redirect` when a redirect's target was refused. */
  readonly stage: Stage;
  readonly kind: ReasonKind;
  /** The rule that refused, or that allowed what then failed. */
  readonly rule?: string;
  /** With `address_forbidden`: the address that was refused. */
  readonly address?: string;
  /** With `address_forbidden`: its class. */
  readonly range?: AddressRange | "denied_by_rule";
  /** With stage `limit` and `size`: which limit, and what it allows. */
  readonly limit?: { readonly name: string; readonly value: number };
  /** What exactly was wrong, in words; holds no secret of the request. */
  readonly detail?: string;
}

/** A response whose body has not been taken yet. */
export interface OpenResponse {
  /** 200 to 599. */
  readonly status: number;
  /** Names in lower case, repeats kept, in the order of the wire, without hop-by-hop headers. */
  readonly headers: readonly HeaderField[];
  /** Where the response came from after redirects, redacted for records. */
  readonly url: string;
  /**
   * The next bytes of the body, at most `bytesMax`: as soon as some are there; an empty array at the end.
   * After a failure every further call gives the same failure.
   */
  read(bytesMax: number): Promise<Result<Uint8Array, Denial>>;
  /**
   * Gives the permit back, drops a body that was not read, ends the record. May be called again.
   * INVARIANT (permit follows response): nothing else gives the permit back, not even the end of the body.
   */
  close(): void;
}

/** What became of a request. */
export type Outcome =
  | { readonly kind: "response"; readonly response: OpenResponse }
  | { readonly kind: "refused"; readonly denial: Denial };

/** The enforcement point, for one session of one guest. */
export interface Gate {
  /** Never rejects: whatever goes wrong is a refused outcome. */
  request(request: GuestRequest, options: { readonly signal: AbortSignal }): Promise<Outcome>;
}
