// The guest that does what its standard input says; see assembly/requester.ts for its language.
import { join } from "node:path";
import { compileAssembly } from "./assemblyscript.ts";

let compiled: Promise<Uint8Array> | undefined;

/** The guest as WebAssembly; compiled once for each test file. */
export function buildRequester(): Promise<Uint8Array> {
  compiled ??= compileAssembly("requester.ts", [
    join(import.meta.dirname, "assembly"),
    join(import.meta.dirname, "../demo/assembly"),
  ]);
  return compiled;
}

/** Standard input for a guest. */
export function stdinOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

/** What a guest printed, a line an entry. */
export function linesOf(output: Uint8Array): string[] {
  return new TextDecoder().decode(output).split("\n").slice(0, -1);
}
