// Host-side code through the gate: the shape of fetch, the rules of the policy.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EgressError, SallyportError } from "../../src/index.ts";
import { recordsOf } from "../support/audit-lines.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { allowing, openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin({
    handler(request, response) {
      if (request.path === "/moved") return void response.writeHead(302, { location: "/end" }).end();
      if (request.path === "/nothing") return void response.writeHead(204).end();
      if (request.path === "/packed") {
        return void response
          .writeHead(200, { "content-encoding": "gzip", "set-cookie": ["a=1", "b=2"] })
          .end("not gzip");
      }
      if (request.path === "/drip") {
        response.write("first");
        return void setTimeout(() => response.end("last"), 300);
      }
      if (request.path === "/stall") return void response.write("first");
      response.end(request.method === "POST" ? request.body : "hello");
    },
  });
});

afterAll(() => origin.close());

describe("sandbox.fetch", () => {
  test("gives a response with its body, and posts what it was given", async () => {
    await using bench = await openSandboxBench();
    const options = { guest: "host", policy: allowing(origin.url) };
    const got = await bench.sandbox.fetch(`${origin.url}/a`, options);
    expect([got.status, await got.text()]).toEqual([200, "hello"]);
    for (const body of ["text", new TextEncoder().encode("text"), new Blob(["te", "xt"]).stream()]) {
      const posted = await bench.sandbox.fetch(`${origin.url}/a`, { ...options, method: "POST", body });
      expect(await posted.text()).toBe("text");
    }
    const nothing = await bench.sandbox.fetch(`${origin.url}/nothing`, options);
    expect([nothing.status, nothing.body]).toEqual([204, null]);
  });

  test("passes a body on as it came, and keeps repeated headers", async () => {
    await using bench = await openSandboxBench();
    const response = await bench.sandbox.fetch(`${origin.url}/packed`, {
      guest: "host",
      policy: allowing(origin.url),
    });
    expect(await response.text()).toBe("not gzip");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test("streams: the first chunk is there before the last was sent", async () => {
    await using bench = await openSandboxBench();
    const response = await bench.sandbox.fetch(`${origin.url}/drip`, {
      guest: "host",
      policy: allowing(origin.url),
    });
    const chunks: string[] = [];
    for await (const chunk of response.body ?? []) chunks.push(new TextDecoder().decode(chunk));
    expect(chunks).toEqual(["first", "last"]);
  });

  test("rejects with the reason when the policy refuses, and nothing is sent", async () => {
    await using bench = await openSandboxBench();
    const before = origin.seen.length;
    const refused = bench.sandbox.fetch(`${origin.url}/a`, {
      guest: "host",
      policy: allowing("https://example.com"),
    });
    await expect(refused).rejects.toBeInstanceOf(EgressError);
    await expect(refused).rejects.toMatchObject({ reason: "scheme_not_allowed", stage: "policy" });
    expect(origin.seen.length).toBe(before);
  });

  test.each([
    { redirect: "follow" as const, status: 200 },
    { redirect: "manual" as const, status: 302 },
  ])("init.redirect $redirect gives $status", async ({ redirect, status }) => {
    await using bench = await openSandboxBench();
    const policy = allowing(origin.url);
    const response = await bench.sandbox.fetch(`${origin.url}/moved`, { guest: "host", policy, redirect });
    expect(response.status).toBe(status);
    await response.text();
  });

  test("init.redirect error rejects", async () => {
    await using bench = await openSandboxBench();
    const policy = allowing(origin.url);
    await expect(
      bench.sandbox.fetch(`${origin.url}/moved`, { guest: "host", policy, redirect: "error" }),
    ).rejects.toMatchObject({ reason: "guest_cancelled", message: expect.stringContaining("redirect") });
  });

  test("a rule's word on redirects beats init.redirect", async () => {
    await using bench = await openSandboxBench();
    const policy = policyOf({
      rules: [{ id: "a", to: origin.url, addresses: ["loopback"], redirects: "return" }],
    });
    const response = await bench.sandbox.fetch(`${origin.url}/moved`, { guest: "host", policy });
    expect(response.status).toBe(302);
  });

  test("an abort rejects with the signal's own reason, and ends a body under way", async () => {
    await using bench = await openSandboxBench();
    const policy = allowing(origin.url);
    const gone = AbortSignal.abort(new Error("not today"));
    await expect(
      bench.sandbox.fetch(`${origin.url}/a`, { guest: "host", policy, signal: gone }),
    ).rejects.toThrow("not today");
    const controller = new AbortController();
    const response = await bench.sandbox.fetch(`${origin.url}/stall`, {
      guest: "host",
      policy,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
  });

  test("a cancelled body gives its permit back and is recorded as cancelled", async () => {
    await using bench = await openSandboxBench();
    const policy = policyOf({ limits: { concurrent: 1 }, rules: [{ id: "a", to: origin.url }] });
    const options = { guest: "host", policy };
    const first = await bench.sandbox.fetch(`${origin.url}/stall`, options);
    await expect(bench.sandbox.fetch(`${origin.url}/a`, options)).rejects.toMatchObject({
      reason: "concurrency_exceeded",
    });
    await first.body?.cancel();
    const second = await bench.sandbox.fetch(`${origin.url}/a`, options);
    expect(await second.text()).toBe("hello");
    expect(recordsOf(bench.auditDir, "request.end").map(({ outcome }) => outcome)).toEqual([
      "denied",
      "cancelled",
      "response",
    ]);
  });

  test("an embedder may wait for a limit instead", async () => {
    await using bench = await openSandboxBench();
    const policy = policyOf({ limits: { concurrent: 1 }, rules: [{ id: "a", to: origin.url }] });
    const options = { guest: "host", policy, limitWaitMs: 5_000 };
    const first = await bench.sandbox.fetch(`${origin.url}/stall`, options);
    const second = bench.sandbox.fetch(`${origin.url}/a`, options);
    await first.body?.cancel();
    expect(await (await second).text()).toBe("hello");
  });

  test.each([
    { name: "no guest", options: { guest: "" } },
    { name: "no policy", options: { policy: undefined } },
    { name: "a body of another kind", options: { body: 7 } },
  ])("$name is the embedder's mistake", async ({ options }) => {
    await using bench = await openSandboxBench();
    const given = { guest: "host", policy: allowing(origin.url), ...options } as never;
    await expect(bench.sandbox.fetch(origin.url, given)).rejects.toBeInstanceOf(SallyportError);
  });

  test("a closed sandbox fetches no more, and closing ends what is under way", async () => {
    await using bench = await openSandboxBench();
    const policy = allowing(origin.url);
    const response = await bench.sandbox.fetch(`${origin.url}/stall`, { guest: "host", policy });
    const reading = response.text();
    reading.catch(() => {});
    await bench.sandbox.close();
    await expect(reading).rejects.toMatchObject({ reason: "shutting_down" });
    await expect(bench.sandbox.fetch(origin.url, { guest: "host", policy })).rejects.toMatchObject({
      code: "closed",
    });
  });
});
