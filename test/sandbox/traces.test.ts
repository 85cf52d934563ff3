// The spans of a real run: the tree, the facts that operators search for, and what never stands in it.
import { context, trace } from "@opentelemetry/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditLines } from "../support/audit-lines.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin({
    handler(request, response) {
      if (request.path.startsWith("/v1/moved")) {
        return void response.writeHead(302, { location: "/v1/end?token=s3cret-location" }).end();
      }
      if (request.path === "/v1/missing") return void response.writeHead(404).end("s3cret-body");
      response.end("s3cret-body");
    },
  });
});

afterAll(() => origin.close());

const policy = (extra: Readonly<Record<string, unknown>> = {}) =>
  policyOf({ rules: [{ id: "api", to: origin.url, paths: ["/v1/**"], ...extra }] });

describe("the trace of a run", () => {
  test("has the run, each request below it, and each hop below its request", async () => {
    await using bench = await openSandboxBench();
    const result = await bench.script(
      [
        `get GET ${origin.url}/v1/a`,
        `get GET ${origin.url}/v1/moved`,
        `get GET ${origin.url}/v2`,
        `get GET ${origin.url}/v1/missing`,
      ],
      { policy: policy(), guest: "tenant/one" },
    );
    const spans = await bench.sink.spans();
    const run = spans.find(({ name }) => name === "run tenant/one");
    const below = (id: string | undefined) =>
      spans
        .filter(({ parentSpanContext }) => parentSpanContext?.spanId === id)
        .sort(
          (a, b) => Number(a.attributes["egress.request.seq"]) - Number(b.attributes["egress.request.seq"]),
        );
    const requests = below(run?.spanContext().spanId);
    expect(requests.map(({ name }) => name)).toEqual([
      "egress GET",
      "egress GET",
      "egress GET denied",
      "egress GET",
    ]);
    expect(requests.map((span) => below(span.spanContext().spanId).map(({ name }) => name))).toEqual([
      ["GET /v1/**"],
      ["GET /v1/**", "GET /v1/**"],
      [],
      ["GET /v1/**"],
    ]);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(run?.attributes).toMatchObject({
      "egress.run.id": result.runId,
      "egress.requests.allowed": 3,
      "egress.requests.denied": 1,
      "egress.requests.failed": 0,
    });
    expect(requests[2]).toMatchObject({
      status: { code: 2 },
      attributes: {
        "egress.decision": "deny",
        "egress.reason": "path_not_allowed",
        "egress.stage": "policy",
        "error.type": "path_not_allowed",
        "egress.guest.name": "tenant/one",
      },
    });
    // A 404 is an answer: it marks the hop and not the request.
    expect(requests[3]?.status.code).toBe(0);
    expect(below(requests[3]?.spanContext().spanId)[0]).toMatchObject({
      status: { code: 2 },
      attributes: { "error.type": "404" },
    });
  });

  test("leads to the audit log and back", async () => {
    await using bench = await openSandboxBench();
    await bench.script([`get GET ${origin.url}/v1/a`], { policy: policy() });
    const spans = await bench.sink.spans();
    const request = spans.find(({ name }) => name === "egress GET");
    const decision = auditLines(bench.auditDir).find(({ type }) => type === "request.decision");
    expect(request?.attributes["egress.audit.seq"]).toBe(decision?.seq);
    expect(decision).toMatchObject({
      trace_id: request?.spanContext().traceId,
      span_id: request?.spanContext().spanId,
    });
  });

  test("stands below the embedder's span", async () => {
    await using bench = await openSandboxBench();
    const parent = bench.sink.provider.getTracer("embedder").startSpan("job");
    await bench.script([`get GET ${origin.url}/v1/a`], {
      policy: policy(),
      parentContext: trace.setSpan(context.active(), parent),
    });
    parent.end();
    const run = (await bench.sink.spans()).find(({ name }) => name === "run requester");
    expect(run?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  });

  test("goes upstream only where a rule says so, and then it is the hop's own", async () => {
    await using bench = await openSandboxBench();
    const forged = "traceparent:00-11111111111111111111111111111111-1111111111111111-01;baggage:a=b";
    const before = origin.seen.length;
    await bench.script([`get GET ${origin.url}/v1/a ${forged}`], { policy: policy() });
    await bench.script([`get GET ${origin.url}/v1/b ${forged}`], { policy: policy({ traceparent: true }) });
    const sent = origin.seen
      .slice(before)
      .map(({ headers }) => new Map(headers.map(([name, value]) => [name.toLowerCase(), value])));
    const hop = (await bench.sink.spans()).filter(({ kind }) => kind === 2).at(-1);
    expect(sent.map((headers) => headers.has("baggage"))).toEqual([false, false]);
    expect(sent.map((headers) => headers.get("traceparent"))).toEqual([
      undefined,
      `00-${hop?.spanContext().traceId ?? ""}-${hop?.spanContext().spanId ?? ""}-01`,
    ]);
  });

  test("holds no secret of a query, header, cookie, body, location or user name, and neither does the log", async () => {
    await using bench = await openSandboxBench();
    await bench.script(
      [
        `get GET ${origin.url}/v1/a?token=s3cret-query authorization:s3cret-header;cookie:s3cret-cookie s3cret-sent`,
        `get GET ${origin.url}/v1/moved?x=s3cret-moved`,
        `get GET ${origin.url.replace("//", "//s3cret-user:s3cret-password@")}/v1/a`,
        `get GET ${origin.url}\\s3cret-odd@odd/?s3cret`,
        `get GET ftp://s3cret-user@x/?s3cret`,
      ],
      { policy: policy() },
    );
    await bench.sandbox.close();
    const spans = (await bench.sink.spans()).map(({ name, attributes, events }) => ({
      name,
      attributes,
      events,
    }));
    const written = JSON.stringify([spans, auditLines(bench.auditDir), bench.summaries]);
    expect(bench.summaries).toHaveLength(5);
    expect(written).not.toMatch(/s3cret/);
    expect(written).toContain("REDACTED");
  });
});
