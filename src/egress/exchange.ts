// One request and its response on one connection: undici's events in, a response or a denial out, exactly once.
// It must never wait without a timer or an abort that ends the wait, and never believe a status, a length or a framing
// that HTTP/1.1 does not allow.

import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { Client, Dispatcher } from "undici";
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { denialOf, denialOfSignal } from "./denial.ts";
import { screenResponseHeaders } from "./header-screen.ts";
import type { Denial, HeaderField, HopRequest, RequestBody } from "./message.ts";
import { bodyLength } from "./request-stream.ts";
import { openResponseBody } from "./response-body.ts";
import { wireFault } from "./wire-fault.ts";
import { dispatchSealed, type SealedRequest } from "./wire-seal.ts";

/** A response whose body is still on the wire, or in a bounded buffer. */
export interface HopResponse {
  readonly status: number;
  readonly headers: readonly HeaderField[];
  /** See `OpenResponse.read`. The array is a view of memory that other chunks share: copy it, do not transfer it. */
  read(bytesMax: number): Promise<Result<Uint8Array, Denial>>;
  /** Drops what was not read, and the connection if there is more to come. May be called again. */
  discard(): void;
  /** Body bytes that came over the wire until now. */
  bytesIn(): number;
}

/** What an exchange runs on. */
export interface ExchangeParts {
  readonly client: Client;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly responseBodyBytesMax: number;
  /** The whole response has come; the server keeps the connection for `keepMs`, 0 for not at all. */
  readonly onComplete: (keepMs: number) => void;
  /** The connection is of no more use. */
  readonly onBroken: () => void;
}

/** An exchange under way. */
export interface Exchange {
  /** Never rejects. */
  readonly response: Promise<Result<HopResponse, Denial>>;
  /** Ends it, unless it is over. */
  fail(denial: Denial): void;
}

/** Sends the request. Its headers are final and screened, without `host`, `content-length` and `connection`: those are written here. */
export function startExchange(hop: HopRequest, parts: ExchangeParts): Exchange {
  const { client, socket, clock, signal, responseBodyBytesMax } = parts;
  const { promise: response, resolve } = Promise.withResolvers<Result<HopResponse, Denial>>();
  let step: "headers" | "body" | "over" = "headers";
  let controller: Dispatcher.DispatchController | undefined;
  let received = 0;
  let keepMs = 0;
  let announced: number | undefined;
  let cancelTimer: (() => void) | undefined;
  const streamed = bodyLength(hop.body) === undefined;
  const body = openResponseBody(clock, {
    onRoom: resume,
    onStall: () => fail(denialOf("body_timeout", `no byte for ${bounds.bodyIdleTimeoutMs} ms`)),
    onSpent: () => signal.removeEventListener("abort", onAbort),
  });

  function fail(denial: Denial): void {
    if (step === "over") return;
    const sawHeaders = step === "body";
    step = "over";
    disarm();
    if (sawHeaders) {
      body.fail(denial);
    } else {
      body.cut(denial);
      resolve(err(denial));
    }
    parts.onBroken();
  }

  // At once: what is buffered goes, too.
  function onAbort(): void {
    const denial = denialOfSignal(signal);
    body.cut(denial);
    fail(denial);
  }

  // INVARIANT (headers timer): runs from the last request byte to the final header; a 1xx does not set it back.
  function arm(): void {
    disarm();
    if (step !== "headers") return;
    cancelTimer = clock.schedule(bounds.headersTimeoutMs, () =>
      fail(denialOf("headers_timeout", `no response within ${bounds.headersTimeoutMs} ms`)),
    );
  }

  function disarm(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    socket.off("drain", arm);
  }

  function resume(): void {
    // The parser belongs to the connection: a resume that comes late would wake the next exchange's.
    if (step !== "body") return;
    try {
      controller?.resume();
    } catch (error) {
      fail(wireFault(error, "body"));
    }
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
    },
    onRequestSent() {
      if (!socket.writableNeedDrain) {
        if (streamed) arm();
        return;
      }
      // A long body on a slow line: only the total deadline watches until its last byte has gone.
      disarm();
      socket.once("drain", arm);
    },
    onResponseStart(_controller, status) {
      if (step !== "headers") return;
      // Interim responses (RFC 9110 section 15.2). 101 answers an upgrade, and nothing here asks for one.
      if (status >= 100 && status < 200 && status !== 101) return;
      const judged = judgeHead(status, controller?.rawHeaders, hop.method, responseBodyBytesMax);
      if (!judged.ok) {
        fail(judged.error);
        return;
      }
      step = "body";
      disarm();
      const { headers } = judged.value;
      ({ keepMs, announced } = judged.value);
      resolve(ok({ status, headers, read: body.read, discard, bytesIn: () => received }));
    },
    onResponseData(_controller, chunk) {
      if (step !== "body") return;
      received += chunk.byteLength;
      // INVARIANT (counted): a length that the server did not announce, or lied about, is bounded just the same.
      if (received > responseBodyBytesMax) fail(bodyTooLarge(responseBodyBytesMax));
      // Paused right behind the last byte, undici would take the server's closing for an early end.
      else if (!body.push(chunk) && received !== announced) controller?.pause();
    },
    onResponseEnd() {
      if (step !== "body") return;
      step = "over";
      body.end();
      // undici decides only after this call whether the server lets the connection live.
      queueMicrotask(() => parts.onComplete(keepMs));
    },
    onResponseError(_controller, error) {
      fail(wireFault(error, step === "body" ? "body" : "headers"));
    },
  };

  function discard(): void {
    const denial = denialOf("guest_cancelled");
    body.cut(denial);
    fail(denial);
  }

  signal.addEventListener("abort", onAbort);
  // The last byte of a streamed body is not here yet: its total deadline watches until then.
  if (!streamed) arm();
  try {
    dispatchSealed(client, sealedRequest(hop), handler);
  } catch (error) {
    fail(wireFault(error, "headers"));
  }
  return { response, fail };
}

// Methods whose body every server expects. Another one's body may be left unread and then taken for the next request
// (RFC 9110 section 9.3.1), so it is sent on a connection that closes after it.
const bodyMethods: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

// INVARIANT (built from the destination): target and host are the decided ones, and no option but these exists.
function sealedRequest({ method, destination, headers, body }: HopRequest): SealedRequest {
  const hasBody = body !== undefined && bodyLength(body) !== 0;
  return {
    method,
    path: destination.path + destination.query,
    headers: ["host", destination.authority, ...headers.flat()],
    body: hasBody ? wireBody(body) : null,
    // Where nothing is said, undici closes after HEAD only.
    ...(hasBody && !bodyMethods.has(method) ? { reset: true } : {}),
  };
}

// undici knows streams of Node's; this one holds one chunk at most beyond what its socket takes.
function wireBody(body: RequestBody): Uint8Array | Readable {
  return body instanceof Uint8Array ? body : Readable.from(body, { objectMode: true, highWaterMark: 1 });
}

interface Head {
  readonly headers: readonly HeaderField[];
  readonly keepMs: number;
  /** The body's length in bytes, where the server named one. */
  readonly announced: number | undefined;
}

function judgeHead(
  status: number,
  rawHeaders: Dispatcher.DispatchController["rawHeaders"],
  method: string,
  bodyBytesMax: number,
): Result<Head, Denial> {
  if (!(status >= 200 && status <= 599)) return err(denialOf("protocol_error", `status ${status}`));
  const raw = fieldsOf(rawHeaders);
  const screened = screenResponseHeaders(raw);
  if (!screened.ok) return err(denialOf(screened.error.reason, screened.error.detail));
  // A length without a body is what the body would have had (RFC 9110 section 8.6).
  const bodyless = method === "HEAD" || status === 204 || status === 304;
  const length = bodyless ? undefined : headerValue(raw, "content-length");
  const announced = length === undefined ? undefined : Number(length);
  if (announced !== undefined && announced > bodyBytesMax) return err(bodyTooLarge(bodyBytesMax));
  return ok({ headers: screened.value, keepMs: keepTime(raw), announced });
}

function bodyTooLarge(bodyBytesMax: number): Denial {
  return { ...denialOf("response_body_too_large"), limit: { name: "responseBody", value: bodyBytesMax } };
}

function fieldsOf(raw: Dispatcher.DispatchController["rawHeaders"]): readonly HeaderField[] {
  if (!Array.isArray(raw)) return [];
  const fields: HeaderField[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    fields.push([latin1(raw[index]), latin1(raw[index + 1])]);
  }
  return fields;
}

// One octet, one character: nothing is decoded that the server may have meant otherwise.
function latin1(bytes: Buffer | string | undefined): string {
  return typeof bytes === "string" ? bytes : (bytes?.toString("latin1") ?? "");
}

function headerValue(headers: readonly HeaderField[], name: string): string | undefined {
  return headers.find(([other]) => other.toLowerCase() === name)?.[1];
}

// The server closes an idle connection at about the time it says; a second earlier is on the safe side.
const keepMarginMs = 1_000;

function keepTime(raw: readonly HeaderField[]): number {
  const hint = /(?:^|,)[\t ]*timeout=([0-9]{1,9})/i.exec(headerValue(raw, "keep-alive") ?? "")?.[1];
  if (hint === undefined) return bounds.keepAliveMs;
  return Math.max(0, Math.min(bounds.keepAliveMs, Number(hint) * 1_000 - keepMarginMs));
}
