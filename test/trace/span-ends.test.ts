// When spans end, what they may hold at most, and whose children they are.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { context, diag, SpanStatusCode, trace } from "@opentelemetry/api";
import { type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, test } from "vitest";
import { openTracer } from "../../src/trace/tracer.ts";
import { destinationOf } from "../support/arbitraries.ts";
import {
  deniedEnd,
  goodEnd,
  goodRunEnd,
  hopFacts,
  recording,
  requestFacts,
  runFacts,
  startedHop,
  startedRequest,
} from "./recording.ts";

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

describe("ends", () => {
  afterEach(() => diag.disable());

  test("ending twice is harmless: the first end counts", () => {
    const complaints: string[] = [];
    const complain = (message: string): void => {
      complaints.push(message);
    };
    diag.setLogger({ error: complain, warn: complain, info: () => {}, debug: () => {}, verbose: () => {} });
    const { at, run, request, hop } = startedHop();
    hop.end({ status: 200 });
    hop.end({ reason: "connection_reset" });
    hop.connected({ peerAddress: "1.2.3.4", peerPort: 1, reused: true });
    request.end(goodEnd);
    request.end(deniedEnd("rate_limited"));
    run.end(goodRunEnd);
    run.end({ ...goodRunEnd, status: "trapped" });
    expect(at.spans().map(({ name, status }) => [name, status.code])).toEqual([
      ["GET /v1/items/*", SpanStatusCode.UNSET],
      ["egress GET", SpanStatusCode.UNSET],
      ["run tenant-42/weather", SpanStatusCode.UNSET],
    ]);
    expect(at.span("GET /v1/items/*").attributes).not.toHaveProperty("network.peer.address");
    // The SDK forgives a second end, too, but says so on the embedder's log.
    expect(complaints).toEqual([]);
  });

  test("the end of a run ends its open requests and hops first, as guest_terminated", () => {
    const { at, run, request } = startedHop();
    run.end(goodRunEnd);
    expect(at.spans().map(({ name }) => name)).toEqual([
      "GET /v1/items/*",
      "egress GET",
      "run tenant-42/weather",
    ]);
    expect(at.span("egress GET").attributes).toMatchObject({
      "egress.outcome": "cancelled",
      "egress.reason": "guest_terminated",
      "egress.stage": "guest",
    });
    expect(at.span("egress GET").attributes).not.toHaveProperty("error.type");
    expect(at.span("egress GET").endTime).toEqual(at.span("run tenant-42/weather").endTime);
    request.end(goodEnd);
    request.startHop(hopFacts).end({ status: 200 });
    run.startRequest(requestFacts).end(goodEnd);
    expect(at.spans()).toHaveLength(3);
  });

  test("a request that ends with a hop open ends the hop for the same reason", () => {
    const { at, request } = startedHop();
    request.end({ ...deniedEnd("headers_timeout"), outcome: "failed", decision: "allow" });
    expect(at.span("GET /v1/items/*").attributes["error.type"]).toBe("headers_timeout");
  });

  test("a request that ended is not kept in memory by its run", async () => {
    const { run } = startedRequest();
    const startAndEnd = (): WeakRef<object> => {
      const request = run.startRequest(requestFacts);
      request.end(goodEnd);
      return new WeakRef(request);
    };
    const refs = Array.from({ length: 10 }, startAndEnd);
    // A WeakRef holds its target until the running job is done.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    run.end(goodRunEnd);
  });

  test("times are milliseconds since 1970 also when the clock says it is 1970", () => {
    const at = recording();
    at.tracer.startRun({ ...runFacts, startTimeMs: 10.25 }).end({ ...goodRunEnd, endTimeMs: 1020 });
    const [span] = at.spans();
    expect([span?.startTime, span?.endTime]).toEqual([
      [0, 10_250_000],
      [1, 20_000_000],
    ]);
  });
});

describe("bounds", () => {
  test("every text of an attribute is cut, escaped and typed", () => {
    const { at, request } = startedRequest({
      url: `https://h.example/${"p".repeat(9000)}`,
      rule: `a\nb${"r".repeat(9000)}`,
      seq: Number.NaN,
      policyMs: Number.POSITIVE_INFINITY,
      destination: { ...destinationOf("https://h.example/"), hostText: "h".repeat(9000) },
    });
    const hop = request.startHop(hopFacts);
    hop.connected({
      peerAddress: "1.2.3.4",
      peerPort: 1,
      reused: false,
      answers: Array.from({ length: 64 }, () => "a".repeat(9000)),
    });
    hop.end({ status: 200 });
    request.end({ ...goodEnd, deniedUrl: "d".repeat(9000) });
    const { attributes } = at.span("egress GET");
    expect(String(attributes["url.full"])).toHaveLength(2048);
    expect(String(attributes["egress.rule.id"])).toHaveLength(2048);
    expect(String(attributes["egress.rule.id"])).toMatch(/^a\\u\{a\}b/);
    expect(String(attributes["egress.denied.url"])).toHaveLength(2048);
    expect(String(attributes["server.address"])).toHaveLength(253);
    expect(attributes).not.toHaveProperty("egress.request.seq");
    expect(attributes).not.toHaveProperty("egress.policy.duration");
    const answers = at.span("GET /v1/items/*").attributes["egress.dns.answers"] as string[];
    expect(answers).toHaveLength(16);
    expect(Math.max(...answers.map((answer) => answer.length))).toBe(256);
  });

  test("a span's name is cut", () => {
    const at = recording();
    at.tracer.startRun({ ...runFacts, guestName: "g".repeat(9000) }).end(goodRunEnd);
    expect(at.spans()[0]?.name).toHaveLength(256);
  });
});

describe("contexts", () => {
  test("a run hangs under the given context, and not under the active one", () => {
    const at = recording();
    const embedder = at.provider.getTracer("embedder");
    const span = embedder.startSpan("handler");
    const run = at.tracer.startRun(runFacts, trace.setSpan(context.active(), span));
    expect(run.traceId).toBe(span.spanContext().traceId);
    run.end(goodRunEnd);
    expect(at.span("run tenant-42/weather").parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  });

  test("trace and span ids are those of the spans", () => {
    const { at, run, request } = startedRequest();
    request.end(goodEnd);
    run.end(goodRunEnd);
    const own = at.span("egress GET").spanContext();
    expect([run.traceId, request.traceId, request.spanId]).toEqual([own.traceId, own.traceId, own.spanId]);
  });

  test("traceparent is that of the hop", () => {
    const { at, hop } = startedHop();
    const header = hop.traceparent();
    hop.end({ status: 200 });
    const own = at.span("GET /v1/items/*").spanContext();
    expect(header).toBe(`00-${own.traceId}-${own.spanId}-01`);
  });

  test("a trace that is not sampled says so to the server, and nothing is recorded", () => {
    const sampler: Sampler = { shouldSample: () => ({ decision: SamplingDecision.NOT_RECORD }) };
    const at = recording({ sampler });
    const run = at.tracer.startRun(runFacts);
    const request = run.startRequest(requestFacts);
    const hop = request.startHop(hopFacts);
    expect(hop.traceparent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    hop.end({ status: 200 });
    request.end(goodEnd);
    run.end(goodRunEnd);
    expect(at.spans()).toEqual([]);
  });

  test("samplers see the decision, the server and the redacted URL before they decide", () => {
    const seen: Record<string, unknown>[] = [];
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, name, _kind, attributes) => {
        if (name.startsWith("egress")) seen.push({ ...attributes });
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      },
    };
    const run = recording({ sampler }).tracer.startRun(runFacts);
    run.startRequest({ ...requestFacts, decision: "deny", reason: "path_not_allowed" });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      "egress.decision": "deny",
      "egress.reason": "path_not_allowed",
      "http.request.method": "GET",
      "url.full": "https://api.example.com/v1/items/7?token=REDACTED",
      "server.address": "api.example.com",
      "server.port": 443,
    });
  });

  test("without a provider nothing is traced and nothing is propagated", () => {
    const run = openTracer().startRun(runFacts);
    const request = run.startRequest(requestFacts);
    expect([run.traceId, request.traceId, request.spanId, request.startHop(hopFacts).traceparent()]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
