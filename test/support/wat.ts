// Turns a guest written in the WebAssembly text format into the bytes of a module.
// Never caches: a test that changes the bytes must not change another test's guest.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import wabt from "wabt";

const programsFolder = `${import.meta.dirname}/../guest/programs`;

/**
 * Compiles a file in the text format. `file` is an absolute path, or a path below test/guest/programs
 * (such as "wasi/hello.wat"). Throws with wabt's own message and line when the text is wrong.
 */
export async function compileWat(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = file.startsWith("/") ? file : `${programsFolder}/${file}`;
  return compileWatText(await readFile(path, "utf8"), basename(path));
}

/** Compiles text given in place; `name` is only for messages. */
export async function compileWatText(text: string, name = "guest.wat"): Promise<Uint8Array<ArrayBuffer>> {
  const { parseWat } = await wabt();
  const module = parseWat(name, text);
  try {
    module.resolveNames();
    module.validate();
    // A copy, because the result is a view of wabt's own memory.
    return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
  } finally {
    module.destroy();
  }
}
