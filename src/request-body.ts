// The body of a host-side fetch on its way to the gate. A stream is read as fast as the server takes it.
// It must never leave a stream locked, or its source running, when the fetch is over.
import { SallyportError } from "./core/sallyport-error.ts";
import type { RequestBody } from "./egress/message.ts";
import type { FetchOptions } from "./fetch-options.ts";

/** A body for the gate. */
export interface OutgoingBody {
  readonly body: RequestBody | undefined;
  /** What was wrong with the caller's stream, once that has shown. */
  fault(): unknown;
  /** Ends a stream that is still being read. */
  cancel(): void;
}

/**
 * Takes a body over. Bytes are copied at once: the caller may go on writing into its own.
 * @throws SallyportError `option_invalid` for what is no body, or a stream that somebody else reads.
 */
export function openOutgoingBody(body: FetchOptions["body"]): OutgoingBody {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body?.slice();
    return { body: bytes, fault: () => undefined, cancel() {} };
  }
  if (!(body instanceof ReadableStream)) {
    throw new SallyportError(
      "option_invalid",
      "body: write a string, a Uint8Array or a ReadableStream of bytes",
    );
  }
  if (body.locked)
    throw new SallyportError("option_invalid", "body: somebody else reads this stream already");
  return openStream(body.getReader());
}

function openStream(reader: ReadableStreamDefaultReader<unknown>): OutgoingBody {
  let fault: unknown;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        if (!(value instanceof Uint8Array)) {
          throw new SallyportError("option_invalid", "body: the stream must give Uint8Array chunks");
        }
        yield value;
      }
    } catch (error) {
      fault ??= error;
      throw error;
    }
  }
  return {
    body: read(),
    fault: () => fault,
    // Nobody waits for a source that may hang.
    cancel: () => void reader.cancel().catch(() => {}),
  };
}
