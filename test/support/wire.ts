// The wire parts put together for a test: a pool, and one request through it to a server on the loopback address.
// Stands below the gate: nothing is decided here.
import type { Clock } from "../../src/core/clock.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Result } from "../../src/core/result.ts";
import type { Connection, HopResponse } from "../../src/egress/connection.ts";
import type { ConnectionPool } from "../../src/egress/connection-pool.ts";
import { openConnectionPool } from "../../src/egress/connection-pool.ts";
import type { Denial, HeaderField } from "../../src/egress/message.ts";
import type { IpAddress } from "../../src/url/ip-address.ts";
import { parseIp } from "../../src/url/ip-address.ts";
import { destinationOf } from "./arbitraries.ts";

/** What a test may say about a request; the rest is ordinary. */
export interface WireRequest {
  readonly method?: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly responseBodyBytesMax?: number;
  /** Where to dial; default 127.0.0.1. */
  readonly addresses?: readonly string[];
}

/** Wire parts in a test's hands. */
export interface Wire {
  readonly pool: ConnectionPool;
  /** An idle connection, or a new one. */
  connection(url: string, request?: WireRequest): Promise<Result<Connection, Denial>>;
  /** One request; connections are reused. */
  send(url: string, request?: WireRequest): Promise<Result<HopResponse, Denial>>;
}

/** Opens a pool of its own. */
export function openWire(options: { readonly clock?: Clock; readonly ca?: readonly string[] } = {}): Wire {
  const { clock = systemClock, ca } = options;
  const pool = openConnectionPool({ clock, ...(ca === undefined ? {} : { ca }) });

  async function connection(url: string, request: WireRequest = {}): Promise<Result<Connection, Denial>> {
    const destination = destinationOf(url);
    const idle = pool.take(destination.origin);
    if (idle !== undefined) return { ok: true, value: idle };
    const addresses = (request.addresses ?? ["127.0.0.1"]).map(ipOf);
    return pool.open(destination.origin, destination, addresses, { signal: signalOf(request) });
  }

  async function send(url: string, request: WireRequest = {}): Promise<Result<HopResponse, Denial>> {
    const opened = await connection(url, request);
    if (!opened.ok) return opened;
    return opened.value.send(
      {
        method: request.method ?? "GET",
        destination: destinationOf(url),
        headers: request.headers ?? [],
        body: request.body,
      },
      {
        signal: signalOf(request),
        responseBodyBytesMax: request.responseBodyBytesMax ?? 1024 * 1024 * 1024,
        clock,
      },
    );
  }

  return { pool, connection, send };
}

/** A signal that never aborts. */
export function signalOf(request: { readonly signal?: AbortSignal }): AbortSignal {
  return request.signal ?? new AbortController().signal;
}

/** The address that a test means. */
export function ipOf(text: string): IpAddress {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`${text} is no address`);
  return ip;
}

/** The value of a success; a failure fails the test with its reason. */
export function successOf<Value>(result: Result<Value, Denial>): Value {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.detail ?? ""}`);
  return result.value;
}

/** The reason of a failure, or `undefined`. */
export function reasonOf(result: Result<unknown, Denial>): string | undefined {
  return result.ok ? undefined : result.error.reason;
}

/** Reads a body to its end, or to its failure. */
export async function readAll(
  response: HopResponse,
  bytesMax = 64 * 1024,
): Promise<{ readonly bytes: Buffer; readonly reason: string | undefined }> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = await response.read(bytesMax);
    if (!part.ok) return { bytes: Buffer.concat(parts), reason: part.error.reason };
    if (part.value.byteLength === 0) return { bytes: Buffer.concat(parts), reason: undefined };
    parts.push(part.value.slice());
  }
}

/** Waits, in real time, until a condition holds. */
export async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
