// The frame around the commands: help, version, and what happens to words that are none.
import { execFile } from "node:child_process";
import { describe, expect, test } from "vitest";
import {
  checkDescription,
  explainDescription,
  runDescription,
  schemaDescription,
} from "../../src/cli/descriptions.ts";
import { mainFile, program, stackTrace } from "./program.ts";

describe("help", () => {
  test.each([runDescription, checkDescription, explainDescription, schemaDescription])(
    "$name --help shows every option and an example, on standard output",
    async ({ name, options }) => {
      const { status, stdout, stderr } = await program([...name.split(" "), "--help"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      for (const option of options) expect(stdout).toContain(`--${option.name}`);
      expect(stdout).toMatch(/^Examples?:\n {2}sallyport /m);
      expect(stdout.split("\n").every((line) => line.length <= 120)).toBe(true);
    },
  );

  test.each([["--help"], ["-h"], ["help"]])("sallyport %s lists every command", async (word) => {
    const { status, stdout, stderr } = await program([word]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const name of ["run", "policy check", "policy explain", "policy schema"])
      expect(stdout).toContain(name);
  });

  test("help wins over mistakes in the same line", async () => {
    const { status, stdout } = await program(["run", "--nonsense", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("Usage: sallyport run");
  });

  test("--help after -- is the guest's own argument", async () => {
    const { status, stdout, stderr } = await program(["run", "absent.wasm", "--", "--help"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("absent.wasm cannot be read: no such file");
  });
});

test("--version prints the package's version", async () => {
  const { status, stdout } = await program(["--version"]);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^sallyport \d+\.\d+\.\d+\n$/),
  });
});

describe("a line that is no command", () => {
  test.each([
    [[], "Usage: sallyport COMMAND"],
    [["policy"], "Usage: sallyport policy COMMAND"],
    [["rnu"], "there is no command rnu in this version, did you mean run?"],
    [["check", "a.yaml"], "there is no command check in this version, did you mean policy check?"],
    [["policy", "chekc"], "there is no command policy chekc in this version, did you mean policy check?"],
    [
      ["policy", "diff", "a", "b"],
      "there is no command policy diff in this version\n  commands: run, policy check",
    ],
    [["audit", "verify"], "there is no command audit in this version\n  commands: run, policy check"],
    [["\u001b[31mrun"], "there is no command \\u{1b}[31mrun in this version"],
    [["--summary", "run"], "there is no option --summary before a command"],
    [
      ["run", "--sumary", "x.wasm"],
      "run has no option --sumary, did you mean --summary?\n  see: sallyport run --help",
    ],
    [["run", "-x", "x.wasm"], "run has no option -x\n"],
    [["run", "x.wasm", "-5"], "arguments for the guest that begin with - go after --"],
    [["run", "--summary=yes", "x.wasm"], "--summary takes no value\n  write --summary alone"],
    [["run", "x.wasm", "-p"], "-p needs a value: FILE"],
    [
      ["run", "-p", "--summary", "x.wasm"],
      "-p needs a value: FILE, and --summary looks like the next option\n  if it is the value, write --policy=--summary",
    ],
    [["run", "-p", "a", "-p", "b", "x.wasm"], "-p is given more than once"],
    [["policy", "schema", "a.yaml"], "policy schema takes no file, but a.yaml was given"],
    [["policy", "check"], "policy check needs a FILE"],
    [["policy", "check", "--format", "jsno", "a.yaml"], "--format jsno is not known, did you mean json?"],
    [["policy", "explain"], "policy explain needs a policy FILE"],
    [["policy", "explain", "a.yaml"], "policy explain needs a URL"],
    [
      ["policy", "explain", "a.yaml", "GET", "http://a/", "b"],
      "policy explain takes one request, but 3 words follow the file",
    ],
    [
      ["policy", "explain", "a.yaml", "http://a/", "--resolves", "1.2.3"],
      "--resolves 1.2.3 is not an IP address",
    ],
    [
      ["policy", "explain", "--batch", "a.yaml", "http://a/"],
      "--batch reads requests from standard input, but http://a/ was given",
    ],
  ])("%j is a sentence and exit status 2", async (args, sentence) => {
    const { status, stdout, stderr } = await program(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(stackTrace);
  });
});

test("a disk that is full is no success", async () => {
  const { status, stderr } = await new Promise<{ status: number; stderr: string }>((resolve) => {
    const shell = `exec "${process.execPath}" "${mainFile}" --help > /dev/full`;
    execFile("/bin/sh", ["-c", shell], (fault, _stdout, text) =>
      resolve({ status: Number(fault?.code ?? 0), stderr: text }),
    );
  });
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: "sallyport: standard output could not be written: the disk is full\n",
  });
});

test("an old Node is told in one sentence", async () => {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.11.0" } })`;
  const { status, stdout, stderr } = await program(["--help"], {
    nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`],
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toBe(
    "sallyport: this Node is 22.11.0, sallyport needs 24 or newer; in a checkout `npx sallyport` uses the bundled one\n",
  );
});

test("no escape codes are written where there is no terminal", async () => {
  const { stdout, stderr } = await program(["run"], { env: { FORCE_COLOR: "1" } });
  expect(stdout + stderr).not.toContain("\u001b");
});
