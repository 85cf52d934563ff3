// Request bodies whose length nobody knows: counted while they are sent, cut where a limit is met.
// It must never read ahead of the wire, nor send a byte beyond a limit.
import type { Result } from "../core/result.ts";
import type { Denial, RequestBody } from "./message.ts";

/** A body's length in bytes; `undefined` where only its end will tell. */
export function bodyLength(body: RequestBody | undefined): number | undefined {
  if (body === undefined) return 0;
  return body instanceof Uint8Array ? body.byteLength : undefined;
}

/**
 * A source that ends with `fail` as soon as `spend` refuses a chunk: the chunk is not sent, and neither is the end of
 * the message, so that the server cannot take what it has for the whole.
 */
export async function* metered(
  source: AsyncIterable<Uint8Array>,
  spend: (bytes: number) => Result<void, Denial>,
  fail: (denial: Denial) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    const spent = spend(chunk.byteLength);
    if (!spent.ok) {
      fail(spent.error);
      throw new Error(spent.error.reason);
    }
    if (chunk.byteLength > 0) yield chunk;
  }
}
