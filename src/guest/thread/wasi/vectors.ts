// Scattered buffers (iovec): the list of pieces, checked as a whole before the first byte moves.
import { bounds } from "../../../core/bounds.ts";
import { err, ok, type Result } from "../../../core/result.ts";
import type { GuestMemory } from "../memory.ts";
import { type Errno, errno } from "./errno.ts";
import { vectorLayout } from "./layout.ts";

/** One piece; it lies inside guest memory. */
export interface Vector {
  readonly pointer: number;
  readonly length: number;
}

/** Pieces in the guest's order, and what they hold together; a guest may name the same bytes many times. */
export interface Vectors {
  readonly pieces: readonly Vector[];
  readonly bytes: number;
}

const sizeMax = 2 ** 32 - 1;

/** Reads `count` pieces at `pointer`. A count or a sum that cannot be meant is inval, a bad pointer is fault. */
export function readVectors(memory: GuestMemory, pointer: number, count: number): Result<Vectors, Errno> {
  if (count > bounds.wasiVectorsMax) return err(errno.inval);
  const list = memory.readBytes(pointer, count * vectorLayout.size);
  if (!list.ok) return err(errno.fault);
  const view = new DataView(list.value.buffer);
  const pieces: Vector[] = [];
  let bytes = 0;
  for (let at = 0; at < view.byteLength; at += vectorLayout.size) {
    const piece = {
      pointer: view.getUint32(at + vectorLayout.pointer, true),
      length: view.getUint32(at + vectorLayout.length, true),
    };
    if (!memory.check(piece.pointer, piece.length).ok) return err(errno.fault);
    bytes += piece.length;
    pieces.push(piece);
  }
  // The count of bytes is reported as a u32, as POSIX refuses what its result type cannot hold.
  return bytes > sizeMax ? err(errno.inval) : ok({ pieces, bytes });
}

/** The bytes of all pieces, one after the other, in chunks of `chunkBytesMax`; only the last one may be shorter. */
export function* gather(
  memory: GuestMemory,
  { pieces, bytes }: Vectors,
  chunkBytesMax: number,
): Generator<Uint8Array<ArrayBuffer>, void> {
  let left = bytes;
  let chunk = new Uint8Array(Math.min(left, chunkBytesMax));
  let filled = 0;
  for (const { pointer, length } of pieces) {
    for (let taken = 0; taken < length; ) {
      const part = memory.readBytes(pointer + taken, Math.min(length - taken, chunk.length - filled));
      // Checked when the list was read, and memory never shrinks.
      if (!part.ok) return;
      chunk.set(part.value, filled);
      filled += part.value.length;
      taken += part.value.length;
      if (filled < chunk.length) continue;
      yield chunk;
      left -= filled;
      chunk = new Uint8Array(Math.min(left, chunkBytesMax));
      filled = 0;
    }
  }
}

/** Spreads bytes over the pieces; the caller brings no more than they hold. */
export function scatter(memory: GuestMemory, { pieces }: Vectors, bytes: Uint8Array): void {
  let at = 0;
  for (const { pointer, length } of pieces) {
    const part = bytes.subarray(at, at + length);
    memory.writeBytes(pointer, part);
    at += part.length;
  }
}
