// Records that tests write, and a reader of what became of them.
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestLookup } from "../../src/audit/audit-record.ts";

/** A record of no importance, known by its hop. */
export function lookup(hop: number): RequestLookup {
  return {
    type: "request.lookup",
    run: "01RUN",
    req: "01REQ",
    hop,
    host: "api.example.com",
    method: "GET",
    url: "https://api.example.com/",
  };
}

/** One line of a log. */
export type Line = Readonly<Record<string, unknown>>;

/** Text and records of the only log in a folder; a last line without its end is left out. */
export function readLog(dir: string): {
  readonly file: string;
  readonly text: string;
  readonly lines: Line[];
} {
  const files = readdirSync(dir);
  if (files.length !== 1 || files[0] === undefined) throw new Error(`${files.length} files in the folder`);
  const file = join(dir, files[0]);
  const text = readFileSync(file, "utf8");
  const whole = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1);
  return { file, text, lines: whole.map((line) => JSON.parse(line) as Line) };
}

/** A folder that goes when the test does. */
export async function temporaryDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "sallyport-audit-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
