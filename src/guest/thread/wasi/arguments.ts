// Arguments and environment of a guest: checked before it starts, handed out as bytes when it asks.
// Never shortens or repairs: what does not fit the form of WASI is refused up front.
import { bounds } from "../../../core/bounds.ts";
import type { GuestMemory } from "../memory.ts";
import { errno } from "./errno.ts";
import type { WasiHost } from "./host.ts";
import type { WasiFunctions } from "./signatures.ts";

const encoder = new TextEncoder();
const pointerBytes = 4;

/**
 * Says in one sentence what makes arguments (program name first) or environment unusable, or nothing when they
 * are fine. NUL ends a string in WASI, so that one within would silently cut it; "=" ends a variable's name.
 */
export function checkArguments(
  args: readonly string[],
  env: readonly (readonly [name: string, value: string])[],
): string | undefined {
  for (const [index, text] of args.entries()) {
    const fault = faultOf(text);
    if (fault !== undefined) return `Argument ${index} ${fault}.`;
  }
  for (const [name, value] of env) {
    if (name === "") return "An environment variable has an empty name.";
    const shown = JSON.stringify(name.slice(0, 64));
    if (name.includes("=")) return `The name of environment variable ${shown} contains "=".`;
    const nameFault = faultOf(name);
    if (nameFault !== undefined) return `The name of environment variable ${shown} ${nameFault}.`;
    const valueFault = faultOf(value);
    if (valueFault !== undefined) return `The value of environment variable ${shown} ${valueFault}.`;
  }
  let bytes = 0;
  for (const text of [...args, ...env.map(assignment)]) bytes += Buffer.byteLength(text) + 1;
  if (bytes > bounds.argumentBytesMax) {
    return `Arguments and environment take ${bytes} bytes; at most ${bounds.argumentBytesMax} fit.`;
  }
  return undefined;
}

// `unknown`, because embedders without a type checker pass numbers here.
function faultOf(text: unknown): string | undefined {
  if (typeof text !== "string") return "is not a string";
  if (text.includes("\0")) return "contains a NUL character";
  if (!text.isWellFormed()) return "contains half of a surrogate pair, which UTF-8 cannot write";
  return undefined;
}

function assignment([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

type ArgumentFunctions = WasiFunctions<"args_get" | "args_sizes_get" | "environ_get" | "environ_sizes_get">;

/** args_* and environ_*. */
export function argumentFunctions({ memory, args, env }: WasiHost): ArgumentFunctions {
  const argumentList = stringList(memory, args);
  const environmentList = stringList(memory, env.map(assignment));
  return {
    args_get: argumentList.get,
    args_sizes_get: argumentList.sizes,
    environ_get: environmentList.get,
    environ_sizes_get: environmentList.sizes,
  };
}

// Both lists have one form: pointers to strings, and the strings one after the other, each with its NUL.
function stringList(memory: GuestMemory, texts: readonly string[]) {
  const strings = texts.map((text) => encoder.encode(`${text}\0`));
  // Bytes and not UTF-16 units: a guest allocates what it is told here and gets what is written below.
  const stringBytes = strings.reduce((sum, string) => sum + string.length, 0);

  function sizes(countPointer: number, bytesPointer: number): number {
    if (!memory.check(countPointer, 4).ok || !memory.check(bytesPointer, 4).ok) return errno.fault;
    memory.writeU32(countPointer, strings.length);
    memory.writeU32(bytesPointer, stringBytes);
    return errno.success;
  }

  function get(pointersPointer: number, stringsPointer: number): number {
    const pointersFit = memory.check(pointersPointer, strings.length * pointerBytes).ok;
    if (!pointersFit || !memory.check(stringsPointer, stringBytes).ok) return errno.fault;
    let at = stringsPointer;
    for (const [index, string] of strings.entries()) {
      memory.writeU32(pointersPointer + index * pointerBytes, at);
      memory.writeBytes(at, string);
      at += string.length;
    }
    return errno.success;
  }

  return { sizes, get };
}
