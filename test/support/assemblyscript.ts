// Compiles AssemblyScript guests with today's compiler, in memory. It must never write a file.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const outFile = "guest.wasm";

/**
 * Compiles `entry`, looked for like its imports in `folders`, to a WASI command.
 * Throws with the compiler's words when the source is wrong.
 */
export async function compileAssembly(entry: string, folders: readonly string[]): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      entry,
      "--outFile",
      outFile,
      // The top level of the entry is the program: a WASI command.
      "--exportStart",
      "_start",
      // Without it the compiler imports `env.abort`, which no host of ours provides.
      "--use",
      "abort=wasi/abort",
      "-O3z",
    ],
    {
      readFile: (name) => readSource(name, folders),
      writeFile: (name, contents) => {
        if (name === outFile && typeof contents !== "string") wasm = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`${entry} does not compile: ${stderr.toString()}`, { cause: error });
  if (wasm === undefined) throw new Error("the compiler gave no module");
  return wasm;
}

// The compiler tries several names for one import and takes null for "not there".
async function readSource(name: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const text = await readFile(join(folder, name), "utf8").catch(() => null);
    if (text !== null) return text;
  }
  return null;
}
