// Least and most of memories and tables, in the forms that the host takes. Never guesses at a flag: of a form that is
// not known, the host could not hold the maximum.
import { type ByteReader, ModuleFault } from "./byte-reader.ts";
import type { SizeRange } from "./module-form.ts";

/** The fault of a module with more than one memory: imports point into one, and nothing says into which. */
export function severalMemories(offset: number | undefined): ModuleFault {
  return new ModuleFault(
    "it has more than one memory, which is not supported",
    offset,
    "build the guest with a single memory",
  );
}

/** Reads the least and most entries of a table. */
export function readTableRange(content: ByteReader): SizeRange {
  const at = content.offset;
  const flags = content.u8();
  if (flags > 1) {
    throw new ModuleFault(
      "a table is shared or has 64-bit indices, which is not supported",
      at,
      "build the guest with plain tables",
    );
  }
  return { min: content.u32(), max: flags === 1 ? content.u32() : undefined };
}

// Flags: 1 has a maximum, 2 shared, 4 64-bit addresses, 8 page sizes other than 64 KiB.
/** Reads the least and most pages of a memory. */
export function readMemoryRange(content: ByteReader): SizeRange {
  const at = content.offset;
  const flags = content.u8();
  if ((flags & 2) !== 0) {
    throw new ModuleFault(
      "its memory is shared between threads, which is not supported",
      at,
      "build the guest without threads and atomics",
    );
  }
  if ((flags & 4) !== 0) {
    throw new ModuleFault(
      "its memory has 64-bit addresses, which is not supported",
      at,
      "build the guest for wasm32",
    );
  }
  if (flags > 1) throw new ModuleFault("its memory is of a form that is not supported", at);
  return { min: content.u32(), max: flags === 1 ? content.u32() : undefined };
}
