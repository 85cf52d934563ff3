// Reads the body of a host-side fetch before anything is sent. It must never wait beyond its signal, nor gather more
// than a byte beyond what the policy lets through.
import { joinBytes } from "./core/join-bytes.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import type { FetchOptions } from "./fetch-options.ts";

/**
 * The bytes of a body. A stream's are cut after `bytesMax` and one chunk: the gate refuses them then.
 * @throws SallyportError `option_invalid` for anything that is no body; the signal's reason when it aborts.
 */
export async function readRequestBody(
  body: FetchOptions["body"],
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (body === undefined) return undefined;
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ReadableStream) return readStream(body, bytesMax, signal);
  throw new SallyportError(
    "option_invalid",
    "body: write a string, a Uint8Array or a ReadableStream of bytes",
  );
}

async function readStream(
  stream: ReadableStream<unknown>,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length <= bytesMax) {
      const { done, value } = await Promise.race([reader.read(), aborted.promise]);
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        throw new SallyportError("option_invalid", "body: the stream must give Uint8Array chunks");
      }
      chunks.push(value);
      length += value.byteLength;
    }
    return joinBytes(chunks);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Nobody waits for a source that may hang.
    void reader.cancel().catch(() => {});
  }
}
