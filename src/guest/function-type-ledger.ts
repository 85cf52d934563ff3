// Counts the different function types that this process has given to the engine.
// INVARIANT (types are for ever): the engine keeps every function type that it has seen, whatever becomes of its
// module, and ends the process at two million (measured). So they are counted here, and never uncounted.
import { createHash } from "node:crypto";
import { bounds } from "../core/bounds.ts";
import { ModuleFault } from "./byte-reader.ts";
import type { FunctionType } from "./module-form.ts";

/** Counts function types. */
export interface TypeLedger {
  /** Counts a module's types before it is compiled. Throws a ModuleFault when they would be too many in all. */
  note(types: readonly FunctionType[]): void;
}

/** Opens a ledger of at most `knownMax` different types. */
export function openTypeLedger(knownMax: number): TypeLedger {
  const known = new Set<string>();
  return {
    note(types) {
      const fresh = new Set(types.map(keyOf)).difference(known);
      if (known.size + fresh.size > knownMax) {
        throw new ModuleFault(
          `this process has seen too many different function types, and the module has ${fresh.size} new ones`,
          undefined,
          "start the process anew; modules that were run before can still be run",
        );
      }
      for (const key of fresh) known.add(key);
    },
  };
}

/** The one ledger: the engine's table is one for the whole process as well. */
export const typeLedger = openTypeLedger(bounds.moduleTypesKnownMax);

// Hashed when long, so that a thousand parameters take no more room than ten. Collisions of a shorter hash could be
// made on purpose, to be counted as one.
function keyOf({ params, results }: FunctionType): string {
  const text = `${params.join()}>${results.join()}`;
  return text.length <= 64 ? text : createHash("sha256").update(text).digest("base64");
}
