// What a guest may import: the functions of two modules, each with its exact type, and one memory.
// Never lets an import through that is not provided: it would be a name without a check behind it.
import { ModuleFault } from "./byte-reader.ts";
import { experimentalModuleName, experimentalSignatures } from "./experimental/signatures.ts";
import type { FunctionType, ImportEntry, ValueType } from "./module-form.ts";
import { signatures as wasiSignatures } from "./thread/wasi/signatures.ts";
import { wasiModuleName } from "./thread/wasi/wasi.ts";

// Only so many are told in one message.
const listedMax = 10;

const provided: ReadonlyMap<string, ReadonlyMap<string, FunctionType>> = new Map([
  [wasiModuleName, typesOf(wasiSignatures, new Set(["proc_exit"]))],
  [experimentalModuleName, typesOf(experimentalSignatures, new Set())],
]);

/** Throws a ModuleFault that lists what the module imports and is not provided, or is imported with another type. */
export function checkImports(imports: readonly ImportEntry[]): void {
  const faults = imports.filter((entry) => !isProvided(entry));
  const [first] = faults;
  if (first === undefined) return;
  const listed = faults.slice(0, listedMax).map(sentenceOf);
  const more = faults.length > listedMax ? `, and ${faults.length - listedMax} more` : "";
  throw new ModuleFault(`it imports ${listed.join(", ")}${more}`, first.offset, remedyOf(first));
}

function isProvided({ module, name, kind, type }: ImportEntry): boolean {
  if (kind === "memory") return true;
  const known = provided.get(module)?.get(name);
  return known !== undefined && type !== undefined && textOf(type) === textOf(known);
}

function sentenceOf({ module, name, kind, type }: ImportEntry): string {
  const shown = `${quoted(module)} ${quoted(name)}`;
  const known = provided.get(module)?.get(name);
  if (known === undefined) return `${shown} (${kind}), which this host does not have`;
  if (type === undefined) return `${shown} as a ${kind}, but it is a function`;
  return `${shown} as ${textOf(type)}, but it is ${textOf(known)}`;
}

function remedyOf({ module }: ImportEntry): string {
  const names = provided.get(module);
  if (names !== undefined) return `${module} has ${[...names.keys()].join(", ")}`;
  const all = `the host has ${wasiModuleName} (WASI preview 1) and ${experimentalModuleName} (${Object.keys(experimentalSignatures).join(", ")})`;
  if (module === "wasi_unstable") return `${all}; build the guest for wasm32-wasip1`;
  return all;
}

// A guest's own words in an operator's message: bounded, and without control characters.
function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);
}

function textOf({ params, results }: FunctionType): string {
  return `(${params.join(", ")}) -> (${results.join(", ")})`;
}

function typesOf(
  signatures: Readonly<Record<string, string>>,
  withoutResult: ReadonlySet<string>,
): ReadonlyMap<string, FunctionType> {
  const types = new Map<string, FunctionType>();
  for (const [name, letters] of Object.entries(signatures)) {
    const params = [...letters].map((letter): ValueType => (letter === "I" ? "i64" : "i32"));
    types.set(name, { params, results: withoutResult.has(name) ? [] : ["i32"] });
  }
  return types;
}
