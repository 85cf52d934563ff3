// WASI preview 1 without files and network: all of its functions, made of the parts beside this file.
// INVARIANT (closed): nothing here reaches the host but through WasiHost, and no import of a guest throws for its
// arguments' values; what throws is GuestExit, or an import that was declared with another type than WASI's.
import { assert } from "../../../core/assert.ts";
import { argumentFunctions, checkArguments } from "./arguments.ts";
import { clockFunctions } from "./clocks.ts";
import type { WasiHost } from "./host.ts";
import { pollFunctions } from "./poll.ts";
import { processFunctions } from "./process.ts";
import { refusedFunctions } from "./refused.ts";
import { signatures, type WasiFunctions } from "./signatures.ts";
import { openStdio, stdioFunctions } from "./stdio.ts";

export { checkArguments } from "./arguments.ts";
export type { WasiHost } from "./host.ts";
export { GuestExit } from "./process.ts";

/** The module name under which guests import these functions. */
export const wasiModuleName = "wasi_snapshot_preview1";

/** An import as WebAssembly calls it: i32 as signed number, i64 as signed bigint; returns an errno. */
export type WasiImport = (...values: (number | bigint)[]) => number;

/**
 * The imports of one instance; each instance needs its own, because they hold its open descriptors. The arguments
 * in `host` must have passed `checkArguments`. `proc_exit` throws a GuestExit.
 */
export function wasiImports(host: WasiHost): { readonly imports: Readonly<Record<string, WasiImport>> } {
  assert(checkArguments(host.args, host.env) === undefined, "arguments are checked before a guest is made");
  const stdio = openStdio(host);
  const functions: WasiFunctions = {
    ...argumentFunctions(host),
    ...clockFunctions(host),
    ...stdioFunctions(host, stdio),
    ...pollFunctions(host, stdio),
    ...processFunctions(host),
    ...refusedFunctions(stdio),
  };
  const imports: Record<string, WasiImport> = {};
  for (const [name, signature] of Object.entries(signatures)) {
    imports[name] = importOf(name, signature, functions[name as keyof typeof signatures] as WasiImport);
  }
  return { imports };
}

// JavaScript links an import whatever type the module declares for it; the mismatch shows in the values only.
function importOf(name: string, signature: string, call: WasiImport): WasiImport {
  return (...values) => {
    if (values.length !== signature.length) throw new WebAssembly.LinkError(mismatch(name));
    for (const [index, value] of values.entries()) {
      const wide = signature[index] === "I";
      if (wide !== (typeof value === "bigint")) throw new WebAssembly.LinkError(mismatch(name));
      values[index] = typeof value === "bigint" ? BigInt.asUintN(64, value) : value >>> 0;
    }
    return call(...values);
  };
}

function mismatch(name: string): string {
  return `${wasiModuleName}.${name} was imported with another type than WASI gives it`;
}
