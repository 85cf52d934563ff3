// Request bodies that are streamed: sent while they are read, held to their limits, never sent twice.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { recordsOf } from "../support/audit-lines.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

// What the server saw of each request, as it came.
interface Arrival {
  readonly path: string | undefined;
  readonly headers: IncomingMessage["headers"];
  bytes: number;
  state: "open" | "whole" | "broken";
}

const arrivals: Arrival[] = [];
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const arrival: Arrival = { path: request.url, headers: request.headers, bytes: 0, state: "open" };
    arrivals.push(arrival);
    request.on("error", () => {});
    request.on("data", (chunk: Buffer) => {
      arrival.bytes += chunk.byteLength;
    });
    request.on("close", () => {
      arrival.state = request.complete ? "whole" : "broken";
    });
    request.on("end", () => {
      if (request.url === "/moved") response.writeHead(307, { location: "/end" });
      response.end(String(arrival.bytes));
    });
    if (request.url === "/deaf") request.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const policy = (limits: Readonly<Record<string, unknown>> = {}) =>
  policyOf({ limits: { timeout: "3s", ...limits }, rules: [{ id: "a", to: url }] });

/** A stream in a test's hands. */
function source(): {
  readonly stream: ReadableStream<Uint8Array>;
  push(bytes: number): void;
  end(): void;
  cancelled: boolean;
} {
  let control: ReadableStreamDefaultController<Uint8Array> | undefined;
  const held = {
    stream: new ReadableStream<Uint8Array>({
      start: (controller) => {
        control = controller;
      },
      cancel: () => {
        held.cancelled = true;
      },
    }),
    push: (bytes: number) => control?.enqueue(new Uint8Array(bytes).fill(120)),
    end: () => control?.close(),
    cancelled: false,
  };
  return held;
}

test("the first chunk is on the wire before the second one exists", async () => {
  await using bench = await openSandboxBench();
  const { stream, push, end } = source();
  const before = arrivals.length;
  const asked = bench.sandbox.fetch(`${url}/up`, {
    guest: "g",
    policy: policy(),
    method: "POST",
    body: stream,
    onRequest: (summary) => bench.summaries.push(summary),
  });
  push(5);
  await vi.waitFor(() => expect(arrivals[before]).toMatchObject({ bytes: 5, state: "open" }));
  push(7);
  end();
  expect(await (await asked).text()).toBe("12");
  expect(arrivals[before]?.headers["transfer-encoding"]).toBe("chunked");
  expect(arrivals[before]?.headers["content-length"]).toBeUndefined();
  await vi.waitFor(() =>
    expect(bench.summaries).toMatchObject([{ decision: "allow", bytesOut: 12, bytesIn: 2 }]),
  );
  expect(recordsOf(bench.auditDir, "request.decision")).toMatchObject([{ body_bytes: null }]);
});

test.each([
  { limits: { requestBody: "10B" }, reason: "request_body_too_large" },
  { limits: { bytesOut: "10B" }, reason: "byte_budget_exhausted" },
])(
  "what is over $limits is not sent, and the server never gets a whole message",
  async ({ limits, reason }) => {
    await using bench = await openSandboxBench();
    const { stream, push } = source();
    const before = arrivals.length;
    const asked = bench.sandbox.fetch(`${url}/up`, {
      guest: "g",
      policy: policy(limits),
      method: "POST",
      body: stream,
    });
    asked.catch(() => {});
    push(6);
    await vi.waitFor(() => expect(arrivals[before]?.bytes).toBe(6));
    push(6);
    await expect(asked).rejects.toMatchObject({ reason, rule: "a" });
    await vi.waitFor(() => expect(arrivals[before]).toMatchObject({ bytes: 6, state: "broken" }));
  },
);

test("a server that does not read holds the source back", async () => {
  await using bench = await openSandboxBench();
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    },
    { highWaterMark: 0 },
  );
  const asked = bench.sandbox.fetch(`${url}/deaf`, {
    guest: "g",
    policy: policy({ timeout: "1s", requestBody: "1GiB" }),
    method: "POST",
    body: stream,
  });
  await expect(asked).rejects.toMatchObject({ reason: "request_timeout" });
  // What the sockets of both sides hold, some megabytes, and no more than that of a gigabyte.
  expect(pulled * 65_536).toBeLessThan(32 * 1_048_576);
});

test("a redirect that asks for the body again is refused", async () => {
  await using bench = await openSandboxBench();
  const { stream, push, end } = source();
  const before = arrivals.length;
  push(3);
  end();
  const asked = bench.sandbox.fetch(`${url}/moved`, {
    guest: "g",
    policy: policy(),
    method: "POST",
    body: stream,
  });
  await expect(asked).rejects.toMatchObject({ reason: "redirect_invalid_location", stage: "redirect" });
  expect(arrivals.length - before).toBe(1);
});

test("a refused request cancels its source without reading it", async () => {
  await using bench = await openSandboxBench();
  const held = source();
  const asked = bench.sandbox.fetch("http://elsewhere.example/", {
    guest: "g",
    policy: policy(),
    method: "POST",
    body: held.stream,
  });
  await expect(asked).rejects.toMatchObject({ reason: "host_not_allowed" });
  expect(held.cancelled).toBe(true);
});

test("a source that fails gives its own fault, and the server no whole message", async () => {
  await using bench = await openSandboxBench();
  const before = arrivals.length;
  let pulls = 0;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      pulls += 1;
      if (pulls === 1) return controller.enqueue(new Uint8Array(4));
      await vi.waitFor(() => expect(arrivals[before]?.bytes).toBe(4));
      controller.error(new Error("the file is gone"));
    },
  });
  const asked = bench.sandbox.fetch(`${url}/up`, {
    guest: "g",
    policy: policy(),
    method: "POST",
    body: stream,
  });
  await expect(asked).rejects.toThrow("the file is gone");
  await vi.waitFor(() => expect(arrivals[before]?.state).toBe("broken"));
});
