// Policies that are replaced under running guests, and what two policies or two guests never share.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { livePolicy, loadPolicy } from "../../src/index.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { allowing, openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let origin: Origin;

beforeEach(async () => {
  origin = await startOrigin();
});

afterEach(() => origin.close());

const denyAll = () => policyOf({ rules: [{ id: "else", to: "https://example.com" }] });

describe("policy generations", () => {
  test("a replaced policy holds from the next request on, also on a connection that is open", async () => {
    await using bench = await openSandboxBench();
    const policy = livePolicy(allowing(origin.url));
    const options = { guest: "tenant", policy };
    await (await bench.sandbox.fetch(origin.url, options)).text();
    policy.replace(denyAll());
    await expect(bench.sandbox.fetch(origin.url, options)).rejects.toMatchObject({ stage: "policy" });
    policy.replace(allowing(origin.url));
    await (await bench.sandbox.fetch(origin.url, options)).text();
    expect(policy.generation).toBe(3);
  });

  test("a running guest meets the new policy at its next request", async () => {
    await using bench = await openSandboxBench();
    const policy = livePolicy(allowing(origin.url));
    const get = `get GET ${origin.url}/`;
    const result = await bench.script([get, get, get], {
      policy,
      onRequest: () => policy.replace(denyAll()),
    });
    expect(result.lines[0]).toBe("200 5");
    expect(result.lines[2]).toBe("error 7");
  });

  test("a file with errors leaves the old policy in force and says what is wrong with it", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sallyport-policy-"));
    const file = join(dir, "policy.yaml");
    await writeFile(file, `version: 1\nname: x\nrules:\n  - id: a\n    to: ${origin.url}\n`);
    const policy = livePolicy(await loadPolicy(file));
    await writeFile(file, "version: 1\nname: x\nrules:\n  - id: a\n    to: ftp://example.com\n");
    const problems = await policy.reload(file);
    expect(problems).toMatchObject([{ severity: "error", line: 5 }]);
    expect(policy.generation).toBe(1);
    await writeFile(file, "version: 1\nname: x\nrules:\n  - id: b\n    to: https://example.com\n");
    expect(await policy.reload(file)).toEqual([]);
    expect(policy.current.rules[0]?.id).toBe("b");
    await rm(dir, { recursive: true });
  });

  test("two guests never share a connection, one guest reuses its own", async () => {
    await using bench = await openSandboxBench();
    const policy = allowing(origin.url);
    for (const guest of ["a", "b", "a", "b"]) {
      await (await bench.sandbox.fetch(origin.url, { guest, policy })).text();
    }
    expect(origin.seen.map(({ connection }) => connection)).toEqual([1, 2, 1, 2]);
  });

  test("a connection that one rule's grant opened is not another rule's", async () => {
    await using bench = await openSandboxBench({ resolve: { "api.test": ["127.0.0.1"] } });
    const to = `http://api.test:${String(origin.port)}`;
    const policy = policyOf({
      rules: [
        { id: "granted", to, paths: ["/in/**"], addresses: ["loopback"] },
        { id: "bare", to, paths: ["/out/**"] },
      ],
    });
    const options = { guest: "a", policy };
    await (await bench.sandbox.fetch(`${to}/in/x`, options)).text();
    await expect(bench.sandbox.fetch(`${to}/out/x`, options)).rejects.toMatchObject({
      reason: "address_forbidden",
      range: "loopback",
    });
  });

  test("rates are the guest's, over runs and fetches alike", async () => {
    await using bench = await openSandboxBench();
    const policy = policyOf({ limits: { rate: "2/h", burst: 2 }, rules: [{ id: "a", to: origin.url }] });
    await bench.script([`get GET ${origin.url}/`], { policy, guest: "tenant" });
    await (await bench.sandbox.fetch(origin.url, { guest: "tenant", policy })).text();
    const third = await bench.script([`get GET ${origin.url}/`], { policy, guest: "tenant" });
    expect(third.lines).toEqual(["error 13"]);
    const stranger = await bench.script([`get GET ${origin.url}/`], { policy, guest: "other" });
    expect(stranger.lines).toEqual(["200 5"]);
  });
});

describe("report mode", () => {
  test("what the rules deny goes through as would_deny; address guards and header screens still deny", async () => {
    await using bench = await openSandboxBench({ resolve: { "api.test": ["127.0.0.1"] } });
    const policy = policyOf({
      mode: "report",
      rules: [{ id: "a", to: `${origin.url}`, methods: ["GET"] }],
    });
    const result = await bench.script(
      [
        `get GET ${origin.url}/`,
        `get DELETE ${origin.url}/`,
        `get GET http://api.test:${String(origin.port)}/`,
        `get GET ${origin.url}/ via:me`,
        `get TRACE ${origin.url}/`,
      ],
      { policy },
    );
    expect(bench.summaries.map(({ decision, reason }) => [decision, reason])).toEqual([
      ["allow", undefined],
      ["deny", "address_forbidden"],
      ["deny", "address_forbidden"],
      ["deny", "header_not_allowed"],
      ["deny", "method_not_allowed"],
    ]);
    expect(result.lines).toEqual(["200 5", "error 7", "error 7", "error 9", "error 7"]);
  });
});
