// `run` with real guests and real servers: exit status, streams, denials in words, summary and report.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "../support/certificate-authority.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { buildRequester } from "../support/requester.ts";
import { compileWat, compileWatText } from "../support/wat.ts";
import type { Folder } from "./program.ts";
import { openFolder, program, stackTrace } from "./program.ts";

const exports = `
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "third") (result f64) (f64.div (f64.const 1) (f64.const 3)))
  (func (export "pair") (result i32 i32) (i32.const 1) (i32.const 2)))`;
const writeForever = `
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\08\\00\\00\\00\\05\\00\\00\\00line\\0a")
  (func (export "_start") (loop $l (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))) (br $l))))`;
const exitWith = (code: number): string => `
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const ${code}))))`;

const openLine = `
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00no end")
  (func (export "_start") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64))) unreachable))`;

let folder: Folder;
let origin: Origin;
beforeAll(async () => {
  const wasm = (name: string) => compileWat(`wasi/${name}.wat`);
  folder = await openFolder({
    "hello.wasm": await wasm("hello"),
    "exit.wasm": await wasm("exit"),
    "echo.wasm": await wasm("echo"),
    "command.wasm": await readFile(join(import.meta.dirname, "../guest/programs/c/command.wasm")),
    "requester.wasm": await buildRequester(),
    "exports.wasm": await compileWatText(exports),
    "flood.wasm": await compileWatText(writeForever),
    "exit256.wasm": await compileWatText(exitWith(256)),
    "trap.wasm": await compileWatText('(module (func (export "_start") unreachable))'),
    "loop.wasm": await compileWatText('(module (func (export "_start") (loop $l (br $l))))'),
  });
  origin = await startOrigin({
    handler: (request, response) => {
      if (request.path === "/away")
        response.writeHead(302, { location: "http://other.example/?token=secret" }).end();
      else response.end("hello");
    },
  });
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await origin.close();
});

const run = (args: readonly string[], start: Parameters<typeof program>[1] = {}) =>
  program(["run", ...args], { cwd: folder.path, ...start });
const ask = (args: readonly string[], lines: readonly string[]) =>
  run([...args, "requester.wasm"], { input: lines.map((line) => `${line}\n`).join("") });

describe("how it ends", () => {
  test("a guest that returns is 0, and both its streams are the program's own", async () => {
    expect(await run(["hello.wasm"])).toMatchObject({
      status: 0,
      stdout: "hello, world\n",
      stderr: "world\n",
    });
  });

  test("a guest's own code is the program's", async () => {
    expect(await run(["exit.wasm"])).toMatchObject({ status: 7, stdout: "", stderr: "" });
  });

  test("a code beyond eight bits does not become success", async () => {
    expect(await run(["exit256.wasm"])).toMatchObject({ status: 255 });
  });

  test("a trap is 134, and says so", async () => {
    expect(await run(["trap.wasm"])).toMatchObject({
      status: 134,
      stdout: "",
      stderr: "sallyport: guest trapped: unreachable\n",
    });
  });

  test("a deadline is 124, and says so", async () => {
    const { status, stderr, durationMs } = await run(["--timeout", "300ms", "loop.wasm"]);
    expect(status).toBe(124);
    expect(stderr).toBe("sallyport: the guest was ended by its deadline after 0.3 s; --timeout sets it\n");
    expect(durationMs).toBeLessThan(5_000);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends a busy guest with %d", async (signal, code) => {
    const { status, stderr } = await run(["flood.wasm"], {
      onStart: (child) => child.stdout?.once("data", () => child.kill(signal)),
    });
    expect({ status, stderr }).toEqual({ status: code, stderr: "" });
  });

  test("a reader that goes away ends the guest quietly", async () => {
    const { status, stderr } = await run(["flood.wasm"], {
      onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    expect({ status, stderr }).toEqual({ status: 141, stderr: "" });
  });
});

describe("what a guest gets", () => {
  test.each([
    ["after the module", ["command.wasm", "a b", "3"]],
    ["after --", ["command.wasm", "--", "a b", "3"]],
  ])("arguments %s, environment from -e alone, and standard input", async (_name, args) => {
    const { status, stdout } = await run(["-e", "FOO=bar=1", ...args], {
      input: "line\n",
      env: { HOME: "/secret", FOO: "outer" },
    });
    expect(status).toBe(3);
    expect(stdout).toContain("arg 0: command.wasm\narg 1: a b\narg 2: 3\n");
    expect(stdout).toContain("FOO: bar=1\nHOME: (none)\n");
    expect(stdout).toContain("input: line\nend of input: 1\n");
  });

  test("options after -- are the guest's", async () => {
    const { stdout } = await run(["command.wasm", "--", "--summary", "-p", "0"]);
    expect(stdout).toContain("arg 1: --summary\narg 2: -p\n");
  });

  test("bytes of standard input and output pass as they are", async () => {
    const input = Buffer.alloc(300_000, 0);
    for (let index = 0; index < input.length; index += 1) input[index] = (index * 31) % 256;
    const chunks: Buffer[] = [];
    const { status } = await run(["echo.wasm"], {
      input,
      onStart: (child) => child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk)),
    });
    expect(status).toBe(0);
    expect(Buffer.concat(chunks).equals(input)).toBe(true);
  });
});

describe("-i", () => {
  test.each([
    [["add", "exports.wasm", "2", "3"], "5\n"],
    [["add", "exports.wasm", "--", "-2", "3"], "1\n"],
    [["wide", "exports.wasm", "9223372036854775807"], "9223372036854775807\n"],
    [["third", "exports.wasm"], "0.3333333333333333\n"],
    [["pair", "exports.wasm"], "1\n2\n"],
  ])("%j prints the results one a line", async (args, stdout) => {
    expect(await run(["-i", ...args])).toMatchObject({ status: 0, stdout, stderr: "" });
  });
});

describe("denials in words", () => {
  test("without a policy everything is denied, and the block says what to write", async () => {
    const { status, stdout, stderr } = await ask([], [`get GET ${origin.url}/x?key=secret`]);
    expect(status).toBe(0);
    expect(stdout).toBe("error 7\n");
    expect(stderr).toBe(
      `sallyport: denied GET ${origin.url}/x?key=REDACTED\n` +
        "  reason: no rule allows this IP address (ip_literal_not_allowed)\n" +
        `  to do: -a ${origin.url}\n`,
    );
  });

  test("an allowed request is not mentioned", async () => {
    expect(await ask(["-a", origin.url], [`get GET ${origin.url}/`])).toMatchObject({
      status: 0,
      stdout: "200 5\n",
      stderr: "",
    });
  });

  test("a forbidden address: which one, which range, which rule allowed the name, and what to write", async () => {
    const url = `http://cache.example:${origin.port}`;
    const args = ["-a", url, "--resolve", "cache.example=127.0.0.1"];
    const denied = await ask(args, [`get GET ${url}/`]);
    expect(denied.stdout).toBe("error 7\n");
    expect(denied.stderr).toContain("the address that this leads to is not granted (address_forbidden)");
    expect(denied.stderr).toContain("address: 127.0.0.1, range loopback\n");
    expect(denied.stderr).toContain("rule: allowed-host-1 allows the destination\n");
    expect(denied.stderr).toContain("to do: --allow-address loopback\n");
    const allowed = await ask([...args, "--allow-address", "loopback"], [`get GET ${url}/`]);
    expect(allowed).toMatchObject({ stdout: "200 5\n", stderr: "" });
  });

  test("with a policy file the advice is its YAML, and the rule has its place", async () => {
    const url = `http://cache.example:${origin.port}`;
    await folder.write("cache.yaml", `version: 1\nrules:\n  - id: cache\n    to: ${url}\n`);
    const { stderr } = await ask(
      ["-p", "cache.yaml", "--resolve", "cache.example=127.0.0.1"],
      [`get GET ${url}/`],
    );
    expect(stderr).toContain("rule: cache (cache.yaml:3:5) allows the destination\n");
    expect(stderr).toContain("to do: write `addresses: [loopback]` on rule cache in cache.yaml\n");
  });

  test("a refused redirect names its target without its secrets", async () => {
    const { stderr } = await ask(["-a", origin.url], [`get GET ${origin.url}/away`]);
    expect(stderr).toContain("redirected to: http://other.example/?token=REDACTED\n");
    expect(stderr).toContain("to do: -a http://other.example\n");
    expect(stderr).not.toContain("secret");
  });

  test("a failure is told as well", async () => {
    const url = "http://gone.example:9";
    const { stdout, stderr } = await ask(
      ["-a", url, "--resolve", "gone.example=127.0.0.1", "--allow-address", "loopback"],
      [`get GET ${url}/`],
    );
    expect(stdout).toBe("error 11\n");
    expect(stderr).toContain(
      `sallyport: failed GET ${url}/\n  reason: the server refused the connection (connection_refused)`,
    );
  });

  test("the first twenty get a block, the others are counted", async () => {
    const { stderr } = await ask(
      [],
      Array.from({ length: 25 }, (_, index) => `get GET https://a.example/${index}`),
    );
    expect(stderr.match(/^sallyport: denied GET/gm)).toHaveLength(20);
    expect(stderr).toContain(
      "sallyport: 5 more requests were denied or failed; --summary or --report FILE lists them\n",
    );
  });

  test("what a guest writes into a URL does not drive the terminal", async () => {
    const { stderr } = await ask([], ["get GET https://a.example/\u001b[2J"]);
    expect(stderr).toContain("invalid_url");
    expect(stderr).not.toContain("\u001b");
  });

  test("--report-only lets through what the rules deny, and says so", async () => {
    await folder.write(
      "report.yaml",
      `version: 1\nrules:\n  - id: all\n    to: ${origin.url}\n` +
        `  - id: no-get\n    effect: deny\n    to: ${origin.url}\n    methods: [GET]\n`,
    );
    const args = ["-p", "report.yaml", "--report-only", "--report", "report.json"];
    const { stdout, stderr } = await ask(args, [`get GET ${origin.url}/`]);
    expect(stdout).toBe("200 5\n");
    expect(stderr).toBe(
      `sallyport: would be denied (report only): GET ${origin.url}/\n` +
        "  reason: a deny rule matches (rule_denied)\n" +
        "  rule: no-get (report.yaml:5:5) denies it\n" +
        "  to do: deny beats allow: only a change of rule no-get lets it pass\n",
    );
    expect(JSON.parse(await readFile(folder.file("report.json"), "utf8"))).toMatchObject({
      requests: [{ decision: "would_deny", reason: "rule_denied", rule: "no-get", status: 200, hops: 1 }],
    });
  });

  test("what we say never continues a line of the guest's", async () => {
    await folder.write("open.wasm", await compileWatText(openLine));
    expect(await run(["open.wasm"])).toMatchObject({
      stderr: "no end\nsallyport: guest trapped: unreachable\n",
    });
  });

  test("insecure:allow-all is a warning at every start", async () => {
    const { stdout, stderr } = await ask(["-a", "insecure:allow-all"], [`get GET ${origin.url}/`]);
    expect(stdout).toBe("200 5\n");
    expect(stderr).toBe(
      "sallyport: warning: insecure:allow-all lets the guest reach every destination and every address, " +
        "this machine's own services and cloud metadata included\n",
    );
  });

  test("-c 0 allows no open response", async () => {
    const { stdout, stderr } = await ask(["-a", origin.url, "-c", "0"], [`get GET ${origin.url}/`]);
    expect(stdout).toBe("error 13\n");
    expect(stderr).toContain("(concurrency_exceeded)");
  });
});

describe("--summary and --report", () => {
  const lines = () => [`get GET ${origin.url}/ok?key=secret`, "get POST http://a.example/no x:y body"];

  test("the table is aligned and on standard error", async () => {
    const { stdout, stderr } = await ask(["-a", origin.url, "--summary"], lines());
    expect(stdout).toBe("200 5\nerror 7\n");
    const table = stderr.split("\n").filter((line) => /^(METHOD|GET|POST) /.test(line));
    expect(table).toHaveLength(3);
    expect(table[0]).toMatch(/^METHOD {2}URL +DECISION {2}REASON +RULE +STATUS {2}HOPS +OUT +IN +MS$/);
    expect(table[1]).toMatch(/^GET +\S+\/ok\?key=REDACTED +allow +- +allowed-host-1 +200 +1 +0 +5 +\d+$/);
    expect(table[2]).toMatch(/^POST +http:\/\/a\.example\/no +deny +host_not_allowed +- +- +0 +\d+ +0 +\d+$/);
  });

  test("a guest without requests is told as such", async () => {
    expect(await run(["--summary", "hello.wasm"])).toMatchObject({
      stderr: "world\nsallyport: the guest made no requests\n",
    });
  });

  test("the report has the exit status and every member, null where there is none", async () => {
    await ask(["-a", origin.url, "--report", "report.json"], [...lines(), "exit 3"]);
    const report = JSON.parse(await readFile(folder.file("report.json"), "utf8"));
    expect(report).toEqual({
      exit: 3,
      requests: [
        {
          method: "GET",
          url: `${origin.url}/ok?key=REDACTED`,
          decision: "allow",
          reason: null,
          stage: null,
          rule: "allowed-host-1",
          status: 200,
          hops: 1,
          bytesOut: 0,
          bytesIn: 5,
          durationMs: expect.any(Number),
        },
        {
          method: "POST",
          url: "http://a.example/no",
          decision: "deny",
          reason: "host_not_allowed",
          stage: "policy",
          rule: null,
          status: null,
          hops: 0,
          bytesOut: expect.any(Number),
          bytesIn: 0,
          durationMs: expect.any(Number),
        },
      ],
    });
  });

  test.each([
    [["trap.wasm"], 134],
    [["--timeout", "200ms", "loop.wasm"], 124],
  ])("a report is written however the guest ends: %j", async (args, exit) => {
    await run(["--report", "end.json", ...args]);
    expect(JSON.parse(await readFile(folder.file("end.json"), "utf8"))).toEqual({ exit, requests: [] });
  });
});

describe("certificates and audit", () => {
  test("--ca trusts a private authority, and without it the advice is --ca", async () => {
    const authority = createAuthority();
    await using secure = await startOrigin({ tls: authority.issue({ names: ["api.example"] }) });
    await folder.write("ca.pem", `comment\n${authority.caPem}`);
    const url = `https://api.example:${secure.port}`;
    const args = ["-a", url, "--allow-address", "loopback", "--resolve", "API.example.=127.0.0.1"];
    const refused = await ask(args, [`get GET ${url}/`]);
    expect(refused.stdout).toBe("error 11\n");
    expect(refused.stderr).toContain("tls_certificate_invalid");
    expect(refused.stderr).toContain("--ca FILE");
    expect(await ask([...args, "--ca", "ca.pem"], [`get GET ${url}/`])).toMatchObject({
      stdout: "200 5\n",
      stderr: "",
    });
  });

  test("--audit writes the run into its folder", async () => {
    await ask(["-a", origin.url, "--audit", "audit"], [`get GET ${origin.url}/?key=secret`]);
    const [file = ""] = await readdir(folder.file("audit"));
    const text = await readFile(join(folder.file("audit"), file), "utf8");
    const types = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    for (const type of ["run.start", "request.decision", "request.end", "run.end"])
      expect(types).toContain(type);
    expect(text).not.toContain("secret");
  });
});

test("nothing that a guest does shows a stack trace of ours", async () => {
  const { stderr } = await ask(
    [],
    ["get GET x", "get \u0001 http://a.example", "get GET http://a.example bad"],
  );
  expect(stderr).not.toMatch(stackTrace);
});

test("a report that cannot be written is not success", async () => {
  const { status, stderr } = await run(["--report", "/dev/full", "hello.wasm"]);
  expect(status).toBe(2);
  expect(stderr).toContain("--report /dev/full could not be written: the disk is full");
});
