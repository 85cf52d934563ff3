// `policy check` on real files: every problem of every file, its place, its remedy, and the exit status.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Folder } from "./program.ts";
import { openFolder, program, stackTrace } from "./program.ts";

const goodPolicy = `version: 1
name: weather
rules:
  - id: forecast
    to: https://api.weather.example
    methods: [GET]
`;
const faultyPolicy = `version: 1
rules:
  - id: forecast
    too: https://api.weather.example
  - id: second
    to: api.weather.example
`;
const warnedPolicy = `version: 1
rules:
  - id: forecast
    to: https://API.weather.example
`;

let folder: Folder;
beforeAll(async () => {
  folder = await openFolder({
    "good.yaml": goodPolicy,
    "faulty.yaml": faultyPolicy,
    "warned.yaml": warnedPolicy,
    "all.yaml": "version: 1\nrules:\n  - id: all\n    to: insecure:allow-all\n",
    "broken.yaml": "version: 1\nrules: [\n",
    "good.json": '{"version":1,"rules":[{"id":"a","to":"https://a.example"}]}',
  });
});
afterAll(() => folder[Symbol.asyncDispose]());

test("a good policy is called good on standard output", async () => {
  const ended = await program(["policy", "check", "good.yaml"], { cwd: folder.path });
  expect(ended).toMatchObject({ status: 0, stdout: "good.yaml: good (1 rule)\n", stderr: "" });
});

test("JSON is read as well", async () => {
  expect(await program(["policy", "check", "good.json"], { cwd: folder.path })).toMatchObject({ status: 0 });
});

test("all problems of a file are reported at once, each with file, line, column and the right spelling", async () => {
  const { status, stdout, stderr } = await program(["policy", "check", "faulty.yaml"], { cwd: folder.path });
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  expect(stdout).toMatch(/^faulty\.yaml:4:5: error: .*too/m);
  expect(stdout).toMatch(/^faulty\.yaml:6:9: error: .*api\.weather\.example/m);
  expect(stdout).toContain("https://api.weather.example");
  expect(stdout.match(/^ {4}write: /gm)?.length).toBeGreaterThanOrEqual(2);
  expect(stdout).toMatch(/^faulty\.yaml: faulty \(\d+ errors\)$/m);
});

test("a warning is told and fails nothing", async () => {
  const { status, stdout } = await program(["policy", "check", "warned.yaml"], { cwd: folder.path });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^warned\.yaml:4:9: warning: /m);
  expect(stdout).toContain("https://api.weather.example");
  expect(stdout).toMatch(/good \(1 rule, 1 warning\)/);
});

test("insecure:allow-all is an error to check", async () => {
  const { status, stdout } = await program(["policy", "check", "all.yaml"], { cwd: folder.path });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^all\.yaml:4:9: error: /m);
});

test("a bad file hides nothing about the others", async () => {
  const { status, stdout, stderr } = await program(
    ["policy", "check", "absent.yaml", "faulty.yaml", "good.yaml", "."],
    { cwd: folder.path },
  );
  expect(status).toBe(2);
  expect(stderr).toContain("the policy absent.yaml cannot be read: no such file\n  check the path");
  expect(stderr).toContain("the policy . cannot be read: it is a folder");
  expect(stderr).not.toMatch(stackTrace);
  expect(stdout).toContain("faulty.yaml: faulty");
  expect(stdout).toContain("good.yaml: good");
});

test.each([["--json"], ["--format=json"]])("%s prints one JSON document", async (flag) => {
  const { status, stdout } = await program(["policy", "check", flag, "faulty.yaml", "good.yaml"], {
    cwd: folder.path,
  });
  expect(status).toBe(1);
  const document = JSON.parse(stdout);
  expect(document.files).toMatchObject([
    { file: "faulty.yaml", rules: null },
    { file: "good.yaml", rules: 1, errors: 0, warnings: 0 },
  ]);
  expect(document.errors).toBe(document.problems.length);
  expect(document.problems[1]).toMatchObject({
    file: "faulty.yaml",
    line: 4,
    column: 5,
    severity: "error",
    code: expect.stringMatching(/^[a-z_]+$/),
    message: expect.any(String),
    remedy: expect.any(String),
  });
});

test("text that is no YAML is a problem with a place", async () => {
  const { status, stdout } = await program(["policy", "check", "broken.yaml"], { cwd: folder.path });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^broken\.yaml:\d+:\d+: error: /m);
});

test("policy schema prints the JSON Schema that the package ships", async () => {
  const { status, stdout } = await program(["policy", "schema"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema" });
});
