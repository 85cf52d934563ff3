// The only way host code touches a guest's memory: every pointer and every length is checked, on every call.
// Must never throw for what a guest passes in, and never hand out a view that lives longer than one call.
import { err, ok, type Result } from "../../core/result.ts";

/** Why guest memory was not touched: the module exports none, or part of the range lies outside it. */
export type MemoryFault = "no_memory" | "out_of_range";

/**
 * Bounds-checked access to one guest's memory, little-endian.
 *
 * Pointers and lengths may come straight from an import's arguments, where WebAssembly's i32 arrives as a signed
 * number. Do arithmetic only on what `unsigned` returns: -8 + 16 would wrap around the end of memory.
 * An empty range must lie inside memory as well. A failed write has written nothing.
 */
export interface GuestMemory {
  /** Whether `length` bytes at `pointer` exist. */
  check(pointer: number, length: number): Result<undefined, MemoryFault>;
  /** A copy of the bytes. The caller bounds `length` first: a guest can name all of its memory in every call. */
  readBytes(pointer: number, length: number): Result<Uint8Array<ArrayBuffer>, MemoryFault>;
  /** The bytes as text; malformed UTF-8 is refused, never repaired; a byte order mark stays. */
  readUtf8(pointer: number, length: number): Result<string, MemoryFault | "not_utf8">;
  readU8(pointer: number): Result<number, MemoryFault>;
  readU16(pointer: number): Result<number, MemoryFault>;
  readU32(pointer: number): Result<number, MemoryFault>;
  readU64(pointer: number): Result<bigint, MemoryFault>;
  writeBytes(pointer: number, bytes: Uint8Array): Result<undefined, MemoryFault>;
  /** Writes the lowest 8 bits; `writeU16`, `writeU32` and `writeU64` likewise their own width. */
  writeU8(pointer: number, value: number): Result<undefined, MemoryFault>;
  writeU16(pointer: number, value: number): Result<undefined, MemoryFault>;
  writeU32(pointer: number, value: number): Result<undefined, MemoryFault>;
  writeU64(pointer: number, value: bigint): Result<undefined, MemoryFault>;
}

/** An i32 argument as the unsigned number that the guest meant. */
export function unsigned(value: number): number {
  return value >>> 0;
}

const done = ok(undefined);

// Text that is not what it claims to be is refused (fatal) and not silently shortened (ignoreBOM).
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Access to the memory that `getMemory` returns at the time of each call; undefined while there is none. */
export function guestMemory(getMemory: () => WebAssembly.Memory | undefined): GuestMemory {
  // INVARIANT (fresh view): memory.buffer is read again for every access, because growth detaches the old one.
  function view(pointer: number, length: number): Result<DataView<ArrayBufferLike>, MemoryFault> {
    const memory = getMemory();
    // A module may export anything under the name of its memory, a function for example.
    if (!(memory instanceof WebAssembly.Memory)) return err("no_memory");
    // Doubles are exact up to 2^53, so that the sum of two 32-bit numbers cannot wrap. NaN is not inside either.
    const start = pointer < 0 ? unsigned(pointer) : pointer;
    const size = length < 0 ? unsigned(length) : length;
    if (!(start + size <= memory.buffer.byteLength)) return err("out_of_range");
    return ok(new DataView(memory.buffer, start, size));
  }

  function bytesAt(pointer: number, length: number): Result<Uint8Array<ArrayBufferLike>, MemoryFault> {
    const found = view(pointer, length);
    if (!found.ok) return found;
    const { buffer, byteOffset, byteLength } = found.value;
    return ok(new Uint8Array(buffer, byteOffset, byteLength));
  }

  function read<Value>(
    pointer: number,
    length: number,
    get: (view: DataView) => Value,
  ): Result<Value, MemoryFault> {
    const found = view(pointer, length);
    return found.ok ? ok(get(found.value)) : found;
  }

  function write(
    pointer: number,
    length: number,
    set: (view: DataView) => void,
  ): Result<undefined, MemoryFault> {
    const found = view(pointer, length);
    if (!found.ok) return found;
    set(found.value);
    return done;
  }

  // Copies into memory of our own, also when the guest's is shared with other threads (TextDecoder refuses that).
  function readBytes(pointer: number, length: number): Result<Uint8Array<ArrayBuffer>, MemoryFault> {
    const found = bytesAt(pointer, length);
    return found.ok ? ok(new Uint8Array(found.value)) : found;
  }

  return {
    check: (pointer, length) => write(pointer, length, () => {}),
    readBytes,
    readUtf8(pointer, length) {
      const bytes = readBytes(pointer, length);
      if (!bytes.ok) return bytes;
      try {
        return ok(utf8.decode(bytes.value));
      } catch {
        return err("not_utf8");
      }
    },
    readU8: (pointer) => read(pointer, 1, (at) => at.getUint8(0)),
    readU16: (pointer) => read(pointer, 2, (at) => at.getUint16(0, true)),
    readU32: (pointer) => read(pointer, 4, (at) => at.getUint32(0, true)),
    readU64: (pointer) => read(pointer, 8, (at) => at.getBigUint64(0, true)),
    writeBytes(pointer, bytes) {
      const target = bytesAt(pointer, bytes.length);
      if (!target.ok) return target;
      target.value.set(bytes);
      return done;
    },
    writeU8: (pointer, value) => write(pointer, 1, (at) => at.setUint8(0, value)),
    writeU16: (pointer, value) => write(pointer, 2, (at) => at.setUint16(0, value, true)),
    writeU32: (pointer, value) => write(pointer, 4, (at) => at.setUint32(0, value, true)),
    writeU64: (pointer, value) => write(pointer, 8, (at) => at.setBigUint64(0, value, true)),
  };
}
