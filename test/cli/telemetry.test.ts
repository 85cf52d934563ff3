// Spans of a run: they arrive, and whatever the collector does, the run and its exit status stay as they are.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildRequester } from "../support/requester.ts";
import { compileWat } from "../support/wat.ts";
import { startCollector } from "./collector.ts";
import type { Folder } from "./program.ts";
import { openFolder, program } from "./program.ts";

let folder: Folder;
beforeAll(async () => {
  folder = await openFolder({
    "exit.wasm": await compileWat("wasi/exit.wat"),
    "requester.wasm": await buildRequester(),
  });
});
afterAll(() => folder[Symbol.asyncDispose]());

const run = (args: readonly string[], start: Parameters<typeof program>[1] = {}) =>
  program(["run", ...args], { cwd: folder.path, ...start });

describe("a collector that listens", () => {
  test("gets the run's span and one for every request, denied ones too, before the program ends", async () => {
    await using collector = await startCollector();
    const ended = await run(["--otlp-endpoint", collector.url, "--guest", "tenant-1/a", "requester.wasm"], {
      input: "get GET https://a.example/?key=secret\n",
    });
    expect(ended.status).toBe(0);
    expect(ended.stderr).not.toContain("warning");
    expect(collector.paths[0]).toBe("/v1/traces");
    expect(collector.resource).toMatchObject({ "service.name": "sallyport" });
    expect(collector.spans.map(({ name }) => name)).toContain("run tenant-1/a");
    const request = collector.spans.find(({ attributes }) => attributes["egress.reason"] !== undefined);
    expect(request?.attributes).toMatchObject({
      "egress.decision": "deny",
      "egress.reason": "host_not_allowed",
      "egress.guest.name": "tenant-1/a",
    });
    expect(JSON.stringify(collector.spans)).not.toContain("secret");
  });

  test("is found through the environment, which also names the service and the caller's span", async () => {
    await using collector = await startCollector();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const ended = await run(["exit.wasm"], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_SERVICE_NAME: "mine",
        TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01`,
      },
    });
    expect(ended).toMatchObject({ status: 7, stderr: "" });
    expect(collector.resource).toMatchObject({ "service.name": "mine" });
    expect(collector.spans).toMatchObject([{ traceId, parentSpanId: "b7ad6b7169203331" }]);
  });

  test("gets nothing when nobody asked for it", async () => {
    await using collector = await startCollector();
    await run(["exit.wasm"], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: "true" },
    });
    await run(["exit.wasm"], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_EXPORTER: "none" },
    });
    expect(collector.paths).toEqual([]);
  });
});

describe.concurrent("a collector that does not", () => {
  const lost = /^sallyport: warning: 1 of 1 spans did not reach http:\/\/127\.0\.0\.1:\d+\/v1\/traces: .+\n$/;

  test("answers with an error: one warning with the lost count, the guest's own status", async () => {
    await using collector = await startCollector(500);
    const { status, stderr } = await run(["--otlp-endpoint", collector.url, "exit.wasm"]);
    expect(status).toBe(7);
    expect(stderr).toMatch(lost);
  });

  test.each(["hang", 503] as const)("%s: the program still ends within seconds", async (behaviour) => {
    await using collector = await startCollector(behaviour);
    const { status, stderr, durationMs } = await run(["--otlp-endpoint", collector.url, "exit.wasm"]);
    expect(status).toBe(7);
    expect(stderr).toMatch(lost);
    expect(durationMs).toBeLessThan(6_000);
  });

  test("is not there: the program still ends within seconds", async () => {
    const { status, stderr, durationMs } = await run(["--otlp-endpoint", "http://127.0.0.1:9", "exit.wasm"]);
    expect(status).toBe(7);
    expect(stderr).toMatch(lost);
    expect(durationMs).toBeLessThan(6_000);
  });
});

test("the SDK's own messages go to standard error, when they were asked for", async () => {
  await using collector = await startCollector(500);
  const { stdout, stderr } = await run(["--otlp-endpoint", collector.url, "exit.wasm"], {
    env: { OTEL_LOG_LEVEL: "debug" },
  });
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^otel: /m);
});
