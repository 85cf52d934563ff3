// Everything that can be wrong before a guest runs: exit status 2, a sentence with place and remedy, no stack trace,
// and nothing on standard output.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuthority } from "../support/certificate-authority.ts";
import { compileWat, compileWatText } from "../support/wat.ts";
import type { Folder } from "./program.ts";
import { openFolder, program, stackTrace } from "./program.ts";

const { caPem } = createAuthority();

let folder: Folder;
beforeAll(async () => {
  folder = await openFolder({
    "hello.wasm": await compileWat("wasi/hello.wat"),
    "add.wasm": await compileWatText(
      '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))',
    ),
    "socket.wasm": await compileWatText('(module (import "env" "socket" (func)) (func (export "_start")))'),
    "big.wasm": await compileWatText('(module (memory (export "memory") 100) (func (export "_start")))'),
    "component.wasm": new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
    "text.wasm": "(module)",
    "empty.wasm": "",
    "cut.wasm": (await compileWat("wasi/hello.wat")).slice(0, 60),
    "good.yaml": "version: 1\nrules:\n  - id: a\n    to: https://a.example\n",
    "faulty.yaml":
      "version: 1\nrules:\n  - id: a\n    too: https://a.example\n  - id: b\n    to: b.example\n",
    "broken.yaml": "version: 1\nrules: [\n",
    "no.pem": "this is not a certificate",
    "damaged.pem": caPem.replace(/[A-Za-z0-9]{20}/, "////////////////////"),
  });
});
afterAll(() => folder[Symbol.asyncDispose]());

const hello = "hello.wasm";

test.each<[string, readonly string[], readonly (string | RegExp)[]]>([
  ["no module", [], ["run needs a MODULE", "write: sallyport run"]],
  ["an absent module", ["absent.wasm"], ["the module absent.wasm cannot be read: no such file"]],
  ["a folder as the module", ["."], ["the module . cannot be read: it is a folder"]],
  ["a module that is text", ["text.wasm"], [/text\.wasm: .*WebAssembly/]],
  ["an empty module", ["empty.wasm"], [/empty\.wasm: /]],
  ["a module that was cut off", ["cut.wasm"], [/cut\.wasm: /]],
  ["a component", ["component.wasm"], [/component\.wasm: .*component/]],
  ["an import that nobody provides", ["socket.wasm"], [/socket\.wasm: .*env.*socket/]],
  ["a module that needs more memory", ["--max-memory", "1MiB", "big.wasm"], [/big\.wasm: .*memory/]],
  ["an export that is not there", ["-i", "sub", "add.wasm", "1", "2"], [/add\.wasm: .*sub/, "add"]],
  ["too few numbers", ["-i", "add", "add.wasm", "1"], [/add\.wasm: .*2/]],
  ["an argument that is no number", ["-i", "add", "add.wasm", "1", "x"], [/add\.wasm: .*x/]],
  ["an absent policy", ["-p", "absent.yaml", hello], ["the policy absent.yaml cannot be read: no such file"]],
  [
    "a policy with errors",
    ["-p", "faulty.yaml", hello],
    [
      "the policy faulty.yaml has 3 errors:",
      /^faulty\.yaml:4:5: error: /m,
      /^faulty\.yaml:6:9: error: /m,
      /^ {4}write: /m,
    ],
  ],
  ["a policy that is no YAML", ["-p", "broken.yaml", hello], [/^broken\.yaml:\d+:\d+: error: /m]],
  [
    "both -p and -a",
    ["-p", "good.yaml", "-a", "https://b.example", hello],
    ["-p and -a cannot be given together", "add a rule with `to: https://b.example` to good.yaml"],
  ],
  ["-a without a scheme", ["-a", "api.example", hello], ["api.example", "https://api.example"]],
  ["-a with a path", ["-a", "https://api.example/v1", hello], ["https://api.example/v1"]],
  [
    "--allow-address without -a",
    ["--allow-address", "loopback", hello],
    ["--allow-address belongs to -a patterns", "`addresses: [loopback]`"],
  ],
  [
    "--allow-address with -p",
    ["-p", "good.yaml", "--allow-address", "loopback", hello],
    ["in a policy file grants stand on a rule"],
  ],
  [
    "--allow-address of no range",
    ["-a", "http://a.example", "--allow-address", "localhost", hello],
    ["localhost", "loopback"],
  ],
  [
    "--allow-address of host bits",
    ["-a", "http://a.example", "--allow-address", "10.0.0.1/8", hello],
    ["10.0.0.0/8"],
  ],
  ["-c of a word", ["-c", "many", hello], ["-c many is not a whole number", "write -c 4"]],
  ["-c of a fraction", ["-c", "1.5", hello], ["-c 1.5 is not a whole number"]],
  ["-e without a value", ["-e", "HOME", hello], ["-e HOME has no value", "write -e HOME=VALUE"]],
  ["-e without a name", ["-e", "=x", hello], ["-e =x has no name before the ="]],
  [
    "a timeout without a unit",
    ["--timeout", "5", hello],
    ["--timeout: `5` has no unit", "write --timeout 5ms, 5s, 5m or 5h"],
  ],
  ["a timeout of nothing", ["--timeout", "0s", hello], ["--timeout 0s leaves the guest nothing"]],
  [
    "a memory of another unit",
    ["--max-memory", "64MB", hello],
    ["--max-memory: `64MB` is not understood", "write --max-memory 64MiB"],
  ],
  ["more memory than there can be", ["--max-memory", "8GiB", hello], ["--max-memory 8GiB is more than"]],
  [
    "isolation inline",
    ["--isolation", "inline", hello],
    ["--isolation inline: this version has only thread"],
  ],
  [
    "an absent --ca",
    ["--ca", "absent.pem", hello],
    ["the --ca file absent.pem cannot be read: no such file"],
  ],
  [
    "a --ca without certificates",
    ["--ca", "no.pem", hello],
    ["--ca no.pem holds no certificate in PEM form", "-----BEGIN CERTIFICATE-----"],
  ],
  [
    "a --ca with a damaged one",
    ["--ca", "damaged.pem", hello],
    ["--ca damaged.pem: certificate 1 of 1 is damaged"],
  ],
  [
    "--resolve without =",
    ["--resolve", "a.example", hello],
    ["--resolve a.example is not NAME=IP", "write --resolve name.example=192.0.2.1"],
  ],
  [
    "--resolve without an address",
    ["--resolve", "a.example=", hello],
    ["has an empty place where an IP address belongs"],
  ],
  [
    "--resolve to a name",
    ["--resolve", "a.example=b.example", hello],
    ["has b.example, which is not an IP address"],
  ],
  [
    "--resolve to shorthand",
    ["--resolve", "a.example=127.1", hello],
    ["has 127.1, which is not an IP address"],
  ],
  ["--resolve of an address", ["--resolve", "10.0.0.1=10.0.0.2", hello], ["an IP address is never resolved"]],
  [
    "--resolve of a URL",
    ["--resolve", "http://a.example=10.0.0.2", hello],
    ["http://a.example is not a host name"],
  ],
  [
    "an endpoint that is no URL",
    ["--otlp-endpoint", "localhost:4318", hello],
    ["--otlp-endpoint localhost:4318 is not a URL that spans can be sent to", "http://localhost:4318"],
  ],
  [
    "a report in an absent folder",
    ["--report", "absent/report.json", hello],
    ["--report absent/report.json cannot be written: no such file"],
  ],
  [
    "an audit folder that is a file",
    ["--audit", "good.yaml", hello],
    ["--audit good.yaml: it is no folder", "write --audit with a folder"],
  ],
  ["a guest without a name", ["--guest=", hello], ["--guest is empty"]],
  ["a guest with too long a name", ["--guest", "g".repeat(10_000), hello], ["--guest: write the guest's id"]],
])("%s", async (_name, args, sentences) => {
  const { status, stdout, stderr } = await program(["run", ...args], { cwd: folder.path });
  for (const sentence of sentences) {
    if (typeof sentence === "string") expect(stderr).toContain(sentence);
    else expect(stderr).toMatch(sentence);
  }
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).not.toMatch(stackTrace);
  expect(stderr).toMatch(/^sallyport: /);
});

test("every mistake of a line is told at once", async () => {
  const { stderr } = await program(
    ["run", "-c", "x", "--timeout", "5", "--ca", "absent.pem", "absent.wasm"],
    {
      cwd: folder.path,
    },
  );
  for (const word of ["-c x", "--timeout 5", "absent.pem", "absent.wasm"]) expect(stderr).toContain(word);
});
