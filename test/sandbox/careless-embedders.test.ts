// Embedders who forget, throw, hang or reload: what they do to themselves must not reach their guests' limits, records
// or each other.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { livePolicy, openSandbox, SallyportError } from "../../src/index.ts";
import { recordsOf } from "../support/audit-lines.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { allowing, openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin({
    handler(request, response) {
      if (request.path === "/stall") return void response.write("first");
      response.end("hello");
    },
  });
});

afterAll(() => origin.close());

const tight = (extra: Readonly<Record<string, unknown>> = {}) =>
  policyOf({ limits: { concurrent: 1, timeout: "400ms", ...extra }, rules: [{ id: "a", to: origin.url }] });

describe("a response that nobody reads", () => {
  test("of HEAD gives its permit back at once", async () => {
    await using bench = await openSandboxBench();
    const options = { guest: "host", policy: tight(), method: "HEAD" };
    for (let round = 0; round < 3; round += 1) {
      expect((await bench.sandbox.fetch(origin.url, options)).status).toBe(200);
    }
  });

  test("gives its permit back at its deadline, and its run ends", async () => {
    await using bench = await openSandboxBench();
    const options = { guest: "host", policy: tight() };
    await bench.sandbox.fetch(`${origin.url}/stall`, options);
    await expect(bench.sandbox.fetch(origin.url, options)).rejects.toMatchObject({
      reason: "concurrency_exceeded",
    });
    await vi.waitFor(async () => expect((await bench.sandbox.fetch(origin.url, options)).status).toBe(200), {
      timeout: 3_000,
    });
  });

  test("has its run ended once when the sandbox closes", async () => {
    await using bench = await openSandboxBench();
    const response = await bench.sandbox.fetch(`${origin.url}/stall`, {
      guest: "host",
      policy: allowing(origin.url),
    });
    const reading = response.text().catch(() => "cut off");
    await bench.sandbox.close();
    expect(await reading).toBe("cut off");
    expect(recordsOf(bench.auditDir, "run.start")).toHaveLength(1);
    expect(recordsOf(bench.auditDir, "run.end")).toHaveLength(1);
    expect(recordsOf(bench.auditDir, "request.end")).toMatchObject([
      { outcome: "cancelled", reason: "shutting_down" },
    ]);
  });

  test("that is cancelled while it is read ends its run once", async () => {
    await using bench = await openSandboxBench();
    const response = await bench.sandbox.fetch(`${origin.url}/stall`, {
      guest: "host",
      policy: allowing(origin.url),
    });
    const reader = response.body?.getReader();
    await reader?.read();
    const waiting = reader?.read();
    await reader?.cancel();
    await waiting;
    await bench.sandbox.close();
    expect(recordsOf(bench.auditDir, "run.end")).toHaveLength(1);
  });
});

describe("a request body", () => {
  test("that never ends ends with the policy's timeout, and holds up no closing", async () => {
    await using bench = await openSandboxBench();
    const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    await expect(
      bench.sandbox.fetch(origin.url, { guest: "host", policy: tight(), method: "POST", body }),
    ).rejects.toMatchObject({ reason: "request_timeout" });
    await bench.sandbox.close();
    expect(recordsOf(bench.auditDir, "run.end")).toHaveLength(1);
  });

  test("of texts instead of bytes is the embedder's mistake", async () => {
    await using bench = await openSandboxBench();
    const body = new ReadableStream({ pull: (controller) => controller.enqueue("text") });
    await expect(
      bench.sandbox.fetch(origin.url, { guest: "host", policy: tight(), method: "POST", body }),
    ).rejects.toBeInstanceOf(SallyportError);
  });

  test("is what it was when it was given", async () => {
    await using bench = await openSandboxBench();
    const before = origin.seen.length;
    const body = new TextEncoder().encode("original");
    const asked = bench.sandbox.fetch(origin.url, { guest: "host", policy: tight(), method: "POST", body });
    body.fill(88);
    await (await asked).text();
    expect(new TextDecoder().decode(origin.seen[before]?.body)).toBe("original");
  });
});

describe("a policy that is replaced under a running guest", () => {
  const script = (count: number): string[] => Array(count).fill(`open GET ${origin.url}/`);

  test("by the same rules changes nothing: rate, budget and open responses go on counting", async () => {
    await using bench = await openSandboxBench();
    const rules = { limits: { requests: 3, rate: "3/h" }, rules: [{ id: "a", to: origin.url }] };
    const policy = livePolicy(policyOf(rules));
    const result = await bench.script(script(6), {
      policy,
      onRequest: () => policy.replace(policyOf(rules)),
    });
    expect(result.lines.filter((line) => line === "200")).toHaveLength(3);
  });

  test("by other rules leaves the run's budget and its open responses as they are", async () => {
    await using bench = await openSandboxBench();
    const next = (index: number) =>
      policyOf({
        limits: { requests: 4, concurrent: 3 },
        rules: [{ id: `a${String(index)}`, to: origin.url }],
      });
    const policy = livePolicy(next(0));
    let index = 0;
    const result = await bench.script(script(8), {
      policy,
      concurrent: 2,
      onRequest: () => {
        index += 1;
        policy.replace(next(index));
      },
    });
    expect(result.lines.filter((line) => line === "200")).toHaveLength(2);
  });

  test("cannot be replaced by what is no policy", () => {
    const policy = livePolicy(allowing(origin.url));
    expect(() => policy.replace(undefined as never)).toThrow(SallyportError);
    expect(policy.generation).toBe(1);
  });
});

test("an exception in onRequest is a warning and disturbs nobody", async () => {
  await using bench = await openSandboxBench();
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", note);
  const result = await bench.script([`get GET ${origin.url}/`, `get GET ${origin.url}/`], {
    policy: allowing(origin.url),
    onRequest: () => {
      throw new Error("the embedder's own");
    },
  });
  await vi.waitFor(() => expect(warnings).toHaveLength(2));
  process.off("warning", note);
  expect(result.lines).toEqual(["200 5", "200 5"]);
  expect(warnings[0]).toContain("the embedder's own");
});

describe("an option that is wrong", () => {
  const cases: readonly (readonly [name: string, options: Readonly<Record<string, unknown>>])[] = [
    ["a timeout in text", { timeoutMs: "5000" }],
    ["a signal that is a controller", { signal: new AbortController() }],
    ["a policy that is none", { policy: { rules: [] } }],
    ["an output that is no stream", { stdout: process.stdout }],
  ];

  test.each(cases)("%s is refused before anything starts", async (_name, options) => {
    await using bench = await openSandboxBench();
    const given = { guest: "g", policy: allowing(origin.url), ...options } as never;
    await expect(bench.sandbox.run(new Uint8Array(8), given)).rejects.toMatchObject({
      code: "option_invalid",
    });
    expect(recordsOf(bench.auditDir, "run.start")).toEqual([]);
  });

  test("one stream for both outputs is refused, and stays unlocked", async () => {
    await using bench = await openSandboxBench();
    const stream = new WritableStream<Uint8Array>();
    const options = { guest: "g", policy: allowing(origin.url), stdout: stream, stderr: stream };
    await expect(bench.sandbox.run(new Uint8Array(8), options)).rejects.toMatchObject({
      code: "option_invalid",
    });
    expect(stream.locked).toBe(false);
  });

  test("a table of answers has lists", async () => {
    await expect(openSandbox({ resolve: { "a.test": "127.0.0.1" } as never })).rejects.toMatchObject({
      code: "option_invalid",
    });
  });

  test("no time at all runs no guest", async () => {
    await using bench = await openSandboxBench();
    expect(await bench.script(["exit 3"], { policy: allowing(origin.url), timeoutMs: 0 })).toMatchObject({
      kind: "deadline",
    });
  });
});
