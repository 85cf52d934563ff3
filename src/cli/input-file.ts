// Reads a file that the user named; a failure is a sentence with the file's name, never an error object.
import { readFile } from "node:fs/promises";
import type { Checked } from "./mistake.ts";
import { bad, good } from "./mistake.ts";
import { printable } from "./terminal.ts";

/** The file's bytes. `what` names its part in the sentence, as in "the policy". */
export async function readInputFile(file: string, what: string): Promise<Checked<Buffer>> {
  try {
    return good(await readFile(file));
  } catch (fault) {
    return bad(`${what} ${printable(file)} cannot be read: ${faultInWords(fault)}`, "check the path");
  }
}

/** A file system error as a person would say it. */
export function faultInWords(fault: unknown): string {
  const code = typeof fault === "object" && fault !== null && "code" in fault ? String(fault.code) : "";
  return sentences[code] ?? (code === "" ? String(fault) : code);
}

const sentences: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EEXIST: "it is no folder",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "this user may not open it",
  EPERM: "this user may not open it",
  ELOOP: "its symbolic links go in a circle",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ERR_FS_FILE_TOO_LARGE: "it is too large",
  ENAMETOOLONG: "the name is too long",
};
