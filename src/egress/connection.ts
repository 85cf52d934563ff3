// One connected socket and the one undici client that speaks over it. It must never reach for another socket, send
// to another origin than its own, or be used again after anything on it was not as it should be.

import type { EventEmitter } from "node:events";
import type { buildConnector } from "undici";
import UndiciClient from "undici/lib/dispatcher/client.js";
import { assert } from "../core/assert.ts";
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import { err } from "../core/result.ts";
import type { Destination } from "../url/destination.ts";
import type { Dialled } from "./connect.ts";
import { denialOf, denialOfSignal } from "./denial.ts";
import { type Exchange, type HopResponse, startExchange } from "./exchange.ts";
import type { Denial, HopRequest } from "./message.ts";
import { spentConnectionCode, wireFault } from "./wire-fault.ts";

export type { HopResponse } from "./exchange.ts";

/** A connection to one origin; one request at a time. */
export interface Connection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly connectMs: number;
  readonly tlsMs?: number;
  readonly tlsVersion?: string;
  /**
   * Sends one request. Never rejects; settles at once when `signal` aborts, with the Denial that is its reason. After
   * a failure the connection is closed. Whoever reads the body to its end gives the connection back by that.
   */
  send(
    hop: HopRequest,
    options: { readonly signal: AbortSignal; readonly responseBodyBytesMax: number; readonly clock: Clock },
  ): Promise<Result<HopResponse, Denial>>;
  /** Closes the socket at once; a request under way ends with `shutting_down`. May be called again. */
  destroy(): void;
}

/** Whom a connection tells. */
export interface ConnectionEvents {
  /** It may be used for another request within `keepMs`. */
  readonly onFree: (keepMs: number) => void;
  /** Its socket is gone. Comes once. */
  readonly onClosed: () => void;
}

/** Takes over a dialled socket. */
export function openConnection(
  dialled: Dialled,
  destination: Destination,
  events: ConnectionEvents,
): Connection {
  const { socket, peer } = dialled;
  let current: Exchange | undefined;
  let closed = false;
  let loss = denialOf("connection_closed");

  const client = new UndiciClient(destination.origin, { ...clientOptions, connect: handOver(dialled) });
  // An emitter throws without a listener for this one, and undici's types do not know that it emits it.
  const emitter: EventEmitter = client;
  emitter.on("error", lose);
  client.on("disconnect", (_origin, _targets, error) => lose(error));
  client.on("connectionError", (_origin, _targets, error) => lose(error));
  // After undici's own listener, which knows better why; it is not there before the first request.
  socket.on("close", () => queueMicrotask(() => lose(undefined)));
  // INVARIANT (an idle socket is silent): bytes that nobody asked for are the answer to a request of tomorrow.
  // Registered before undici's own listener, which would skip blank lines and the like.
  socket.on("readable", () => {
    if (current !== undefined || socket.readableLength === 0) return;
    loss = denialOf("protocol_error", "the server spoke without being asked");
    close();
  });

  // The connection is lost, for whatever reason; a request that waits on it is told.
  function lose(error: unknown): void {
    current?.fail(error === undefined ? loss : wireFault(error, "headers"));
    close();
  }

  function close(): void {
    if (closed) return;
    closed = true;
    socket.destroy();
    client.destroy(null, () => {});
    events.onClosed();
  }

  function destroy(): void {
    current?.fail(denialOf("shutting_down"));
    close();
  }

  function send(
    hop: HopRequest,
    options: { readonly signal: AbortSignal; readonly responseBodyBytesMax: number; readonly clock: Clock },
  ): Promise<Result<HopResponse, Denial>> {
    assert(current === undefined, "one request at a time");
    assert(hop.destination.origin === destination.origin, "a connection belongs to one origin");
    const { signal } = options;
    if (signal.aborted || socket.destroyed) close();
    if (signal.aborted) return Promise.resolve(err(denialOfSignal(signal)));
    if (closed) return Promise.resolve(err(loss));
    const exchange = startExchange(hop, {
      ...options,
      client,
      socket,
      onComplete: complete,
      onBroken: close,
    });
    // It may have failed already, and then nobody asks for it any more.
    current = exchange;
    return exchange.response;
  }

  function complete(keepMs: number): void {
    current = undefined;
    // A server that answers before it has read the whole request would take the rest of it for the next one.
    if (closed || socket.destroyed || socket.writableLength > 0 || keepMs <= 0) close();
    else events.onFree(keepMs);
  }

  return {
    peerAddress: peer.text,
    peerPort: destination.port,
    connectMs: dialled.connectMs,
    ...(dialled.tlsMs === undefined ? {} : { tlsMs: dialled.tlsMs }),
    ...(dialled.tlsVersion === undefined ? {} : { tlsVersion: dialled.tlsVersion }),
    send,
    destroy,
  };
}

const clientOptions = {
  // HTTP/2 would put several requests on one socket, and has limits of its own.
  allowH2: false,
  // With more, one server segment could answer a request that was not sent yet.
  pipelining: 1,
  // undici refuses at this size, we above it.
  maxHeaderSize: bounds.responseHeaderBytesMax + 1,
  strictContentLength: true,
  // Otherwise UNDICI_USE_MILO would choose the parser.
  useMilo: false,
  // Ours run on the clock; undici's start anew with every 1xx.
  headersTimeout: 0,
  bodyTimeout: 0,
  // The pool closes idle connections; this is what holds if it does not.
  keepAliveTimeout: bounds.keepAliveMs,
  keepAliveMaxTimeout: bounds.keepAliveMs,
  keepAliveTimeoutThreshold: 1_000,
} as const;

// INVARIANT (one socket): the client gets the vetted socket once. When it asks again, to retry a request or to
// reconnect, it gets an error, so nothing is ever sent twice.
function handOver({ socket }: Dialled): buildConnector.connector {
  let given = false;
  return (_options, callback) => {
    const first = !given;
    given = true;
    // Later, since undici drops what it is given within the call.
    queueMicrotask(() => {
      if (first && !socket.destroyed) callback(null, socket);
      else callback(spentConnection(), null);
    });
  };
}

function spentConnection(): Error {
  // Not one of undici's own codes: it would ask again at once, for ever.
  return Object.assign(new Error("the connection closed before the request was sent"), {
    code: spentConnectionCode,
  });
}
