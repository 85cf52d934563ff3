// The bytes of one response between the wire and whoever reads them: bounded, in order, with an end or a failure.
// It must never hold more than its bound and one chunk, nor give bytes after a failure was told.
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Denial } from "./message.ts";

/** One response body. */
export interface ResponseBody {
  /** Adds bytes from the wire. `false`: the wire has to pause until `onRoom`. */
  push(chunk: Uint8Array): boolean;
  /** No more bytes will come. */
  end(): void;
  /** No more bytes will come, since something went wrong; what is there already can still be read. */
  fail(denial: Denial): void;
  /** Drops what is there; every read gives `denial` from now on. */
  cut(denial: Denial): void;
  /** See `OpenResponse.read`. The array is a view of memory that other chunks share: copy it, do not transfer it. */
  read(bytesMax: number): Promise<Result<Uint8Array, Denial>>;
}

/** Whom a body tells. */
export interface BodyEvents {
  /** There is room again after `push` said no. */
  readonly onRoom: () => void;
  /** A reader has waited for too long. */
  readonly onStall: () => void;
  /** The reader has seen the end or the failure. */
  readonly onSpent: () => void;
}

interface Reader {
  readonly bytesMax: number;
  readonly settle: (result: Result<Uint8Array, Denial>) => void;
}

const nothing = new Uint8Array(0);

// A server can send 64 KiB as 65,536 chunks; each as an object of its own would come to megabytes.
const smallChunkBytes = 4 * 1024;
const blockBytes = 16 * 1024;

/** Opens an empty body. */
export function openResponseBody(clock: Clock, events: BodyEvents): ResponseBody {
  const chunks: Uint8Array[] = [];
  const readers: Reader[] = [];
  let block: Uint8Array = nothing;
  let blockUsed = 0;
  let buffered = 0;
  let full = false;
  let ending: Result<Uint8Array, Denial> | undefined;
  let spent = false;
  let delivering = false;
  let cancelTimer: (() => void) | undefined;

  function push(chunk: Uint8Array): boolean {
    if (ending !== undefined || chunk.byteLength === 0) return true;
    // The first one stays where it is: most bodies are one small chunk. As a plain array, since a Buffer's `slice` does
    // not copy.
    if (chunk.byteLength < smallChunkBytes && chunks.length > 0) gather(chunk);
    else chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    buffered += chunk.byteLength;
    full ||= buffered >= bounds.responseBufferBytes;
    deliverSoon();
    return !full;
  }

  // Copies a small chunk behind the one before it, where that one is in a block with room left.
  function gather(chunk: Uint8Array): void {
    const fits = blockUsed + chunk.byteLength <= block.byteLength;
    if (!fits) {
      block = new Uint8Array(blockBytes);
      blockUsed = 0;
    }
    const start = blockUsed;
    block.set(chunk, start);
    blockUsed += chunk.byteLength;
    const last = chunks.at(-1);
    if (last?.buffer === block.buffer && last.byteOffset + last.byteLength === start) {
      chunks[chunks.length - 1] = new Uint8Array(block.buffer, last.byteOffset, blockUsed - last.byteOffset);
    } else {
      chunks.push(block.subarray(start, blockUsed));
    }
  }

  // The parser hands on a whole segment before readers are woken, so that they get it in one piece.
  function deliverSoon(): void {
    if (delivering || readers.length === 0) return;
    delivering = true;
    queueMicrotask(() => {
      delivering = false;
      deliver();
    });
  }

  function deliver(): void {
    for (let reader = readers[0]; reader !== undefined; reader = readers[0]) {
      const result = takeNow(reader.bytesMax);
      if (result === undefined) break;
      readers.shift();
      cancelTimer?.();
      cancelTimer = undefined;
      reader.settle(result);
    }
    watchReaders();
  }

  // INVARIANT (idle timer runs for readers only): a guest that does not read is not the server's fault.
  function watchReaders(): void {
    if (readers.length > 0) cancelTimer ??= clock.schedule(bounds.bodyIdleTimeoutMs, events.onStall);
  }

  function takeNow(bytesMax: number): Result<Uint8Array, Denial> | undefined {
    if (buffered > 0) {
      const bytes = take(bytesMax);
      if (full && buffered < bounds.responseBufferBytes) {
        full = false;
        events.onRoom();
      }
      return ok(bytes);
    }
    if (ending !== undefined && !spent) {
      spent = true;
      events.onSpent();
    }
    return ending;
  }

  function take(bytesMax: number): Uint8Array {
    const first = chunks[0] ?? nothing;
    if (first.byteLength >= bytesMax || chunks.length === 1 || first.byteLength >= blockBytes) {
      const taken = first.subarray(0, bytesMax);
      if (taken.byteLength === first.byteLength) chunks.shift();
      else chunks[0] = first.subarray(taken.byteLength);
      buffered -= taken.byteLength;
      return taken;
    }
    const joined = new Uint8Array(Math.min(bytesMax, buffered));
    for (let used = 0; used < joined.byteLength; ) {
      const chunk = chunks[0] ?? nothing;
      const part = chunk.subarray(0, joined.byteLength - used);
      joined.set(part, used);
      used += part.byteLength;
      if (part.byteLength === chunk.byteLength) chunks.shift();
      else chunks[0] = chunk.subarray(part.byteLength);
    }
    buffered -= joined.byteLength;
    return joined;
  }

  function finish(result: Result<Uint8Array, Denial>): void {
    ending ??= result;
    deliverSoon();
  }

  return {
    push,
    end: () => finish(ok(nothing)),
    fail: (denial) => finish(err(denial)),
    cut(denial) {
      if (spent) return;
      chunks.length = 0;
      buffered = 0;
      ending = err(denial);
      deliver();
      if (spent) return;
      spent = true;
      events.onSpent();
    },
    read(bytesMax) {
      // Nothing fits, and an empty array after this one could not be told from the end.
      if (bytesMax <= 0) return Promise.resolve(ok(nothing));
      const result = readers.length === 0 ? takeNow(bytesMax) : undefined;
      if (result !== undefined) return Promise.resolve(result);
      return new Promise((settle) => {
        readers.push({ bytesMax, settle });
        watchReaders();
      });
    },
  };
}
