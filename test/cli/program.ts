// Runs the program as its users do: a process of its own, real files, real streams.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The program, as source: this Node strips the types. */
export const mainFile = join(import.meta.dirname, "../../src/cli/main.ts");

/** How the program ended and what it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** What the program is started with. */
export interface Start {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** Leaves standard input to `onStart`. */
  readonly keepInputOpen?: boolean;
  /** Called with the process when it runs. */
  readonly onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the program to its end. The environment is empty but for what `env` says. */
export async function program(args: readonly string[], start: Start = {}): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [...(start.nodeArgs ?? []), mainFile, ...args], {
    cwd: start.cwd,
    env: { PATH: process.env.PATH, ...start.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // The program may end before it has read everything.
  child.stdin.on("error", () => {});
  if (start.keepInputOpen !== true) child.stdin.end(start.input ?? "");
  start.onStart?.(child);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return {
    status,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
    durationMs: performance.now() - startMs,
  };
}

/** A temporary folder with these files in it. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
  readonly file: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>;
}

/** Makes a temporary folder; it goes when it is disposed of. */
export async function openFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "sallyport-cli-"));
  const file = (name: string): string => join(path, name);
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(file(name), content);
    return file(name);
  };
  for (const [name, content] of Object.entries(files)) await write(name, content);
  return { path, file, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Lines that only a stack trace has. */
export const stackTrace = /^\s+at .*[:(]|node:internal|\.ts:\d+:\d+\)|internal error/m;
