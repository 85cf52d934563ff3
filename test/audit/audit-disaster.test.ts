// A disk that is full and a process that is killed: what was acknowledged is there, what was refused is not.
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { type Line, readLog, temporaryDir } from "./records.ts";

type Answers = readonly (
  | { ok: true; value: number }
  | { ok: false; error: { code: string; detail: string } }
)[];

interface Writer extends AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams;
  /** The next line that the process prints. */
  line(): Promise<unknown>;
  /** Appends so many records at once. */
  append(count: number): Promise<Answers>;
  /** From now on no file of the process grows beyond so many bytes. */
  limitFileSize(bytes: number | "unlimited"): void;
  /** Waits for the end. */
  readonly ended: Promise<unknown>;
}

function startWriter(mode: "asked" | "endless", dir: string): Writer {
  const script = new URL("./writer-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, mode, dir]);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const line = async (): Promise<unknown> => {
    const next = await lines.next();
    return next.done === true ? undefined : JSON.parse(next.value);
  };
  return {
    process: child,
    line,
    async append(count) {
      child.stdin.write(`${count}\n`);
      return (await line()) as Answers;
    },
    limitFileSize(bytes) {
      // The soft limit only, so that it can be raised again by anyone.
      execFileSync("prlimit", ["--pid", String(child.pid), `--fsize=${bytes}:`]);
    },
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function expectWholeAndNumbered(lines: readonly Line[]): void {
  expect(lines.map(({ seq }) => seq)).toEqual(Array.from(lines, (_, seq) => seq));
}

// A file size limit is a full disk to the one who writes: a short write first, then an error (EFBIG for ENOSPC).
describe.skipIf(!existsSync("/usr/bin/prlimit"))("a full disk", () => {
  test("refused records leave no trace but a gap, and the log goes on when there is space again", async () => {
    await using temporary = await temporaryDir();
    await using writer = startWriter("asked", temporary.path);
    await writer.line();
    expect(await writer.append(2)).toEqual([
      { ok: true, value: 1 },
      { ok: true, value: 2 },
    ]);
    const before = readLog(temporary.path);

    // Room for one record and a half: the write is short and has to be taken back.
    writer.limitFileSize(Buffer.byteLength(before.text) + 250);
    const refused = await writer.append(3);
    expect(refused).toEqual(
      Array.from({ length: 3 }, () => ({ ok: false, error: { code: "write_failed", detail: "EFBIG" } })),
    );
    expect(readLog(temporary.path).text).toBe(before.text);
    expect(await writer.append(4)).toHaveLength(4);
    expect(readLog(temporary.path).text).toBe(before.text);

    writer.limitFileSize("unlimited");
    expect(await writer.append(2)).toEqual([
      { ok: true, value: 4 },
      { ok: true, value: 5 },
    ]);
    expect(await writer.append(1)).toEqual([{ ok: true, value: 6 }]);
    writer.process.stdin.end("close\n");
    await writer.ended;

    const { text, lines } = readLog(temporary.path);
    expect(text.startsWith(before.text)).toBe(true);
    expect(text.endsWith("\n")).toBe(true);
    expectWholeAndNumbered(lines);
    expect(lines.map(({ type }) => type)).toEqual([
      "log.open",
      "request.lookup",
      "request.lookup",
      "log.gap",
      "request.lookup",
      "request.lookup",
      "request.lookup",
      "log.close",
    ]);
    expect(lines[3]).toMatchObject({ lost: 7, cause: "EFBIG" });
  });

  test("a log whose disk is full when it closes ends without its last record and whole", async () => {
    await using temporary = await temporaryDir();
    await using writer = startWriter("asked", temporary.path);
    await writer.line();
    await writer.append(1);
    writer.limitFileSize(statSync(readLog(temporary.path).file).size + 10);
    expect((await writer.append(1))[0]?.ok).toBe(false);
    writer.process.stdin.end("close\n");
    expect(await writer.ended).toBe(0);
    const { text, lines } = readLog(temporary.path);
    expect(lines.map(({ type }) => type)).toEqual(["log.open", "request.lookup"]);
    expect(text.endsWith("\n")).toBe(true);
  });

  test("a log on a disk without space is not opened, and says why", async () => {
    await using temporary = await temporaryDir();
    const script = new URL("./writer-process.ts", import.meta.url).pathname;
    const child = spawn("prlimit", ["--fsize=10", process.execPath, script, "asked", temporary.path]);
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    expect(await new Promise((resolve) => child.once("exit", resolve))).not.toBe(0);
    expect(errors).toContain("EFBIG");
  });
});

describe("kill -9", () => {
  test.each([1, 2, 3])("every acknowledged record is in the file, run %i", async (run) => {
    await using temporary = await temporaryDir();
    await using writer = startWriter("endless", temporary.path);
    const acknowledged: unknown[] = [];
    while (acknowledged.length < 300 * run) acknowledged.push(await writer.line());
    writer.process.kill("SIGKILL");
    for (let next = await writer.line(); next !== undefined; next = await writer.line())
      acknowledged.push(next);
    await writer.ended;
    const { lines } = readLog(temporary.path);
    expectWholeAndNumbered(lines);
    expect(acknowledged).toEqual(Array.from(acknowledged, (_, index) => index + 1));
    expect(lines.length).toBeGreaterThan(acknowledged.length);
  });
});
