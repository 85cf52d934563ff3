// Hands a request to undici so that what was decided is what is sent. undici shows every request to the subscribers of
// a diagnostics channel before it is written, and instrumentation of the embedder's process adds headers there
// (trace context, baggage): those must never leave with a guest's request.
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Readable } from "node:stream";
import type { Client, Dispatcher } from "undici";
import { changedRequestCode } from "./wire-fault.ts";

/** What is sent: a flat list of names and values, of which `host` is the first. */
export interface SealedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array | Readable | null;
  /** Closes the connection after this request. */
  readonly reset?: boolean;
}

// The part of undici's request object that its documentation of the channel promises, and the host that it adds.
interface PublishedRequest {
  readonly method: unknown;
  readonly path: unknown;
  readonly host?: unknown;
  readonly headers: string[];
}

const createdName = "undici:request:create";
const created = channel(createdName);

/** Dispatches; failures come to the handler. */
export function dispatchSealed(
  client: Client,
  sealed: SealedRequest,
  handler: Dispatcher.DispatchHandler,
): void {
  const options: Dispatcher.DispatchOptions = { ...sealed, headers: [...sealed.headers] };
  if (!created.hasSubscribers) {
    client.dispatch(options, handler);
    return;
  }
  // The request is made and published within `dispatch`. Whoever subscribed last hears last, so the last one that is
  // heard here is ours, even if another subscriber makes requests itself.
  let published: PublishedRequest | undefined;
  const listen = (message: unknown): void => {
    published = requestIn(message) ?? published;
  };
  subscribe(createdName, listen);
  try {
    client.dispatch(options, {
      ...handler,
      // Called right before the head is written; undici lets a throw here end the request unsent.
      onRequestStart(controller, context) {
        restore(published, sealed);
        handler.onRequestStart?.(controller, context);
      },
    });
  } finally {
    unsubscribe(createdName, listen);
  }
}

// INVARIANT (sent as decided): exactly the sealed headers remain, in their order.
function restore(request: PublishedRequest | undefined, sealed: SealedRequest): void {
  const [, host, ...headers] = sealed.headers;
  if (request?.method !== sealed.method || request.path !== sealed.path || request.host !== host) {
    throw Object.assign(new Error("the request was changed within this process"), {
      code: changedRequestCode,
    });
  }
  request.headers.splice(0, request.headers.length, ...headers);
}

function requestIn(message: unknown): PublishedRequest | undefined {
  if (typeof message !== "object" || message === null || !("request" in message)) return undefined;
  const { request } = message;
  if (typeof request !== "object" || request === null) return undefined;
  if (!("method" in request && "path" in request && "headers" in request)) return undefined;
  return Array.isArray(request.headers) ? (request as PublishedRequest) : undefined;
}
