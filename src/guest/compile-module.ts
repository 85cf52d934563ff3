// Hands a checked module to the engine, off this thread, and puts the engine's complaints into a sentence.
import { MessageChannel } from "node:worker_threads";
import { err, ok, type Result } from "../core/result.ts";
import type { ModuleProblem } from "./prepare-module.ts";

/**
 * Compiles `rewritten`. When the engine refuses it, `original` is tried, so that the place in the message is one in
 * the file that the embedder has.
 */
export async function compileModule(
  rewritten: Uint8Array<ArrayBuffer>,
  original: Uint8Array<ArrayBuffer>,
): Promise<Result<WebAssembly.Module, ModuleProblem>> {
  // A pending compilation does not keep the process alive; a port that listens does.
  const { port1, port2 } = new MessageChannel();
  port1.on("message", () => {});
  try {
    const compiled = await tryCompile(rewritten);
    if (compiled.ok) return compiled;
    const asGiven = await tryCompile(original);
    return err(problemOf(asGiven.ok ? compiled.error : asGiven.error));
  } finally {
    port1.close();
    port2.close();
  }
}

async function tryCompile(bytes: Uint8Array<ArrayBuffer>): Promise<Result<WebAssembly.Module, string>> {
  try {
    return ok(await WebAssembly.compile(bytes));
  } catch (fault) {
    // Also a RangeError, where the engine has no memory for it.
    return err(fault instanceof Error ? fault.message : String(fault));
  }
}

// The engine says "WebAssembly.compile(): Compiling function #0 failed: ... @+37".
function problemOf(message: string): ModuleProblem {
  const [, text = message, offset] =
    /^(?:WebAssembly\.compile\(\): )?(.*?)(?: @\+(\d+))?$/s.exec(message) ?? [];
  return {
    message: `the module is not valid WebAssembly: ${text}${offset === undefined ? "" : ` (at byte ${offset})`}`,
    remedy: "build the guest again, or check that the file is complete",
    ...(offset === undefined ? {} : { offset: Number(offset) }),
  };
}
