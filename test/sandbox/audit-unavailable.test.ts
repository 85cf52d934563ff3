// What cannot be recorded is not done: a guest on a host whose audit disk is full.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startOrigin } from "../support/origin.ts";

// The limit on the size of a file stands for a full disk: the write fails in the same place, in the same way.
test.skipIf(!existsSync("/usr/bin/prlimit"))(
  "a full audit disk refuses requests and sends nothing more",
  async () => {
    await using origin = await startOrigin();
    const program = join(import.meta.dirname, "audit-program.ts");
    const child = spawn("/usr/bin/prlimit", ["--fsize=6000", process.execPath, program, origin.url, "30"]);
    let output = "";
    let faults = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (faults += chunk.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    expect(faults).toBe("");
    const { lines, reasons } = JSON.parse(output) as { lines: string[]; reasons: string[] };
    const answered = lines.filter((line) => line === "200 5").length;
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(30);
    // INVARIANT (record first): the server saw as many requests as the log could take decisions.
    expect(origin.seen).toHaveLength(answered);
    expect(lines.slice(answered)).toEqual(Array(30 - answered).fill("error 12"));
    expect(new Set(reasons.slice(answered))).toEqual(new Set(["deny audit_unavailable"]));
  },
);
