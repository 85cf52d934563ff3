// Reads the binary format's atoms from untrusted bytes. Never reads beyond its range, and never loops longer than
// the bytes that are there: every number that counts something is checked against its ceiling first.

/** Bytes that are not a module this host takes; caught where parsing starts, never seen outside. */
export class ModuleFault extends Error {
  override readonly name = "ModuleFault";
  /** Byte in the file where it shows; undefined when it is about the module as a whole. */
  readonly offset: number | undefined;
  readonly remedy: string | undefined;

  constructor(message: string, offset: number | undefined, remedy?: string) {
    super(message);
    this.offset = offset;
    this.remedy = remedy;
  }
}

/** A place in the bytes that moves forward with every read. */
export interface ByteReader {
  /** The next byte's place in the file. */
  readonly offset: number;
  readonly atEnd: boolean;
  u8(): number;
  /** LEB128 of at most five bytes; a value over 32 bits is refused (WebAssembly core, section 5.2.2). */
  u32(): number;
  /** A count of `what`, refused over `most`. */
  count(what: string, most: number): number;
  /** UTF-8 with its length in front; malformed text is refused. */
  name(): string;
  skip(length: number): void;
  /** A reader of the next `length` bytes; this one stands behind them afterwards. */
  inner(length: number): ByteReader;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads `bytes` from `start` to `end`. Every method throws a ModuleFault where the bytes do not fit. */
export function readBytes(bytes: Uint8Array, start: number, end: number): ByteReader {
  let offset = start;

  function u8(): number {
    const byte = offset < end ? bytes[offset] : undefined;
    if (byte === undefined) throw new ModuleFault("it ends in the middle", offset);
    offset += 1;
    return byte;
  }

  function skip(length: number): void {
    if (length > end - offset) throw new ModuleFault("a length points beyond the end", offset);
    offset += length;
  }

  function u32(): number {
    const at = offset;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = u8();
      // Multiplied, not shifted: a shift would turn the upper half of 32 bits negative.
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new ModuleFault("a number does not fit in 32 bits", at);
  }

  return {
    get offset() {
      return offset;
    },
    get atEnd() {
      return offset === end;
    },
    u8,
    u32,
    skip,
    count(what, most) {
      const at = offset;
      const value = u32();
      if (value > most) throw new ModuleFault(`it has ${value} ${what}; at most ${most} are allowed`, at);
      return value;
    },
    name() {
      const at = offset;
      const length = u32();
      const from = offset;
      skip(length);
      try {
        return utf8.decode(bytes.subarray(from, offset));
      } catch {
        throw new ModuleFault("a name is not UTF-8", at);
      }
    },
    inner(length) {
      const from = offset;
      skip(length);
      return readBytes(bytes, from, offset);
    },
  };
}
