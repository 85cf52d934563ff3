// Where a guest's standard output or error goes: to the embedder's stream, or into a bounded buffer.
// It must never hold more than its bound, nor fail a guest because somebody stopped reading.
import { joinBytes } from "./core/join-bytes.ts";

/** One output of a running guest. */
export interface Output {
  /** Takes a chunk; resolves when the next may come. */
  readonly write: (chunk: Uint8Array) => void | Promise<void>;
  /** What was kept; empty when a stream took it. */
  kept(): Uint8Array;
  /** Gives the embedder's stream back. */
  finish(): Promise<void>;
}

/** Opens an output onto `stream`, or onto a buffer of at most `bytesMax` bytes. */
export function openOutput(stream: WritableStream<Uint8Array> | undefined, bytesMax: number): Output {
  return stream === undefined ? buffered(bytesMax) : streamed(stream);
}

function streamed(stream: WritableStream<Uint8Array>): Output {
  const writer = stream.getWriter();
  // A reader that went away (a closed pipe) is no reason to end the guest: its output is dropped.
  let open = true;
  const lost = (): void => {
    open = false;
  };
  writer.closed.catch(lost);
  return {
    async write(chunk) {
      if (!open) return;
      await writer.ready.catch(lost);
      if (open) await writer.write(chunk).catch(lost);
    },
    kept: () => new Uint8Array(0),
    async finish() {
      writer.releaseLock();
    },
  };
}

function buffered(bytesMax: number): Output {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return {
    write(chunk) {
      const taken = chunk.subarray(0, bytesMax - length);
      if (taken.byteLength === 0) return;
      chunks.push(taken.slice());
      length += taken.byteLength;
    },
    kept: () => joinBytes(chunks),
    async finish() {},
  };
}
