// Reads our own sources for the tests of their shape: which file imports what, and what its code says.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** One import of one file; `target` is a path below `src` for our own files, otherwise a package. */
export interface SourceImport {
  readonly file: string;
  readonly specifier: string;
  readonly target: string | undefined;
  readonly typeOnly: boolean;
}

/** Every file below a folder of the checkout whose name ends so, as a path from the checkout. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split("\\").join("/"))
    .filter((file) => !file.includes("node_modules/"))
    .sort();
}

/** A file's text. */
export function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\(\s*"([^"]+)"\s*\)/g;

/** All imports of a source text. */
export function importsOf(file: string, text: string): SourceImport[] {
  return [...text.matchAll(importPattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? "";
    const local = specifier.startsWith(".");
    const path = relative(join(root, "src"), resolve(root, dirname(file), specifier));
    return {
      file,
      specifier,
      target: local ? posix.normalize(path.split("\\").join("/")) : undefined,
      typeOnly: match[1] !== undefined,
    };
  });
}

/** A source text without comments and without the contents of strings and templates. */
export function codeOf(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (match) => (match.startsWith("/") ? "" : '""'));
}
