// Compiles the demo guest from assembly/. It must never write a file: what runs is what the source says now.

import { join } from "node:path";
import { compileAssembly } from "../support/assemblyscript.ts";

/** The demo guest as WebAssembly. Throws with the compiler's words when its source is wrong. */
export function buildDemoGuest(): Promise<Uint8Array> {
  return compileAssembly("main.ts", [join(import.meta.dirname, "assembly")]);
}
