// Spans as an operator meets them in the trace store: names, parents, attributes and status, taken literally.
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { destinationOf } from "../support/arbitraries.ts";
import {
  deniedEnd,
  goodEnd,
  goodRunEnd,
  hopFacts,
  type Recording,
  startedHop,
  startedRequest,
  startMs,
} from "./recording.ts";

describe("an allowed request", () => {
  function allowed(): Recording {
    const { at, run, request, hop } = startedHop({ strippedHeaders: 2, policyMs: 0.5, queueMs: 20 });
    hop.connected({
      peerAddress: "93.184.216.34",
      peerPort: 443,
      dnsMs: 12,
      answers: ["93.184.216.34", "2606:2800:220:1::1"],
      connectMs: 20,
      tlsMs: 40,
      tlsVersion: "TLSv1.3",
      reused: false,
    });
    hop.end({ status: 200, ttfbMs: 80, endTimeMs: startMs + 60 });
    request.end({ ...goodEnd, bytesOut: 5, auditSeq: 7, endTimeMs: startMs + 70 });
    run.end({ ...goodRunEnd, auditLog: "01LOG", auditHeadSeq: 9 });
    return at;
  }

  test("the run's span names the guest and carries totals and the audit log's head", () => {
    const span = allowed().span("run tenant-42/weather");
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.attributes).toEqual({
      "egress.run.id": "01RUN",
      "egress.run.status": "ok",
      "egress.guest.name": "tenant-42/weather",
      "egress.guest.sha256": "ab".repeat(32),
      "egress.policy.sha256": "cd".repeat(32),
      "egress.policy.mode": "enforce",
      "egress.requests.allowed": 1,
      "egress.requests.denied": 0,
      "egress.requests.failed": 0,
      "egress.audit.log": "01LOG",
      "egress.audit.head_seq": 9,
    });
    expect([span.startTime, span.endTime]).toEqual([
      [startMs / 1000, 0],
      [startMs / 1000, 100_000_000],
    ]);
  });

  test("a run without an audit log has no head of one", () => {
    const { at, run } = startedRequest();
    run.end({ ...goodRunEnd, auditLog: "", auditHeadSeq: 9 });
    const { attributes } = at.span("run tenant-42/weather");
    expect(Object.keys(attributes).filter((key) => key.startsWith("egress.audit."))).toEqual([]);
  });

  test("the request's span carries everything that operators search for", () => {
    const at = allowed();
    const span = at.span("egress GET");
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span.parentSpanContext?.spanId).toBe(at.span("run tenant-42/weather").spanContext().spanId);
    expect(span.attributes).toEqual({
      "egress.run.id": "01RUN",
      "egress.guest.name": "tenant-42/weather",
      "egress.policy.sha256": "cd".repeat(32),
      "egress.policy.mode": "enforce",
      "egress.request.id": "01REQ",
      "egress.request.seq": 1,
      "egress.decision": "allow",
      "egress.outcome": "response",
      "egress.rule.id": "forecast",
      "egress.redirect.count": 0,
      "egress.headers.stripped": 2,
      "egress.policy.duration": 0.0005,
      "egress.queue.duration": 0.02,
      "egress.audit.seq": 7,
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "http.request.body.size": 5,
      "http.response.body.size": 12,
      "url.full": "https://api.example.com/v1/items/7?token=REDACTED",
      "url.template": "/v1/items/*",
      "server.address": "api.example.com",
      "server.port": 443,
    });
    expect([span.startTime, span.endTime]).toEqual([
      [startMs / 1000, 10_000_000],
      [startMs / 1000, 70_000_000],
    ]);
  });

  test("the hop's span is the only CLIENT span, hangs under the request and tells of the wire", () => {
    const at = allowed();
    const span = at.span("GET /v1/items/*");
    expect(at.spans().filter(({ kind }) => kind === SpanKind.CLIENT)).toEqual([span]);
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span.parentSpanContext?.spanId).toBe(at.span("egress GET").spanContext().spanId);
    expect(span.attributes).toEqual({
      "egress.run.id": "01RUN",
      "egress.request.id": "01REQ",
      "egress.request.seq": 1,
      "egress.decision": "allow",
      "egress.rule.id": "forecast",
      "egress.connection.reused": false,
      "egress.dns.duration": 0.012,
      "egress.dns.answers": ["93.184.216.34", "2606:2800:220:1::1"],
      "egress.connect.duration": 0.02,
      "egress.tls.duration": 0.04,
      "egress.ttfb.duration": 0.08,
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "url.full": "https://api.example.com/v1/items/7?token=REDACTED",
      "url.template": "/v1/items/*",
      "server.address": "api.example.com",
      "server.port": 443,
      "network.peer.address": "93.184.216.34",
      "network.peer.port": 443,
      "network.protocol.version": "1.1",
      "tls.protocol.version": "1.3",
    });
  });

  test("all spans carry the scope of the package and no events", () => {
    for (const span of allowed().spans()) {
      expect(span.instrumentationScope.name).toBe("sallyport");
      expect(span.events).toEqual([]);
      expect(span.links).toEqual([]);
    }
  });
});

describe("names", () => {
  test("a hop without a template is named after its method alone", () => {
    const { at, request } = startedRequest();
    request.startHop({ ...hopFacts, urlTemplate: undefined }).end({ status: 200 });
    expect(at.span("GET").attributes).not.toHaveProperty("url.template");
  });

  const guestMethods = ["get", "EVIL/1", "x".repeat(100), "", "GET\n", "constructor", "__proto__"];
  test.each(guestMethods)("the method %j is _OTHER, and its text is in no name", (method) => {
    const { at, run, request } = startedRequest({ method });
    request.startHop({ ...hopFacts, method, urlTemplate: undefined }).end({});
    request.end(deniedEnd("method_not_allowed"));
    run.end(goodRunEnd);
    expect(at.spans().map(({ name }) => name)).toEqual([
      "HTTP",
      "egress HTTP denied",
      "run tenant-42/weather",
    ]);
    expect(at.span("egress HTTP denied").attributes["http.request.method"]).toBe("_OTHER");
    const original = String(at.span("HTTP").attributes["http.request.method_original"]);
    expect(original.length).toBeLessThanOrEqual(32);
    if (/^[A-Za-z/1_]*$/.test(method) && method.length <= 32) expect(original).toBe(method);
  });

  test.each("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE".split(" "))(
    "the method %s is named",
    (method) => {
      const { at, request } = startedRequest({ method });
      request.end(goodEnd);
      const { attributes } = at.span(`egress ${method}`);
      expect(attributes["http.request.method"]).toBe(method);
      expect(attributes).not.toHaveProperty("http.request.method_original");
    },
  );

  test("no text of a guest is in any span's name", () => {
    const { at, run, request } = startedRequest({
      method: "MARK",
      url: "https://mark.example/mark",
      destination: destinationOf("https://mark.example/mark"),
    });
    request
      .startHop({ ...hopFacts, destination: destinationOf("https://mark.example/mark") })
      .end({ status: 200 });
    request.end({ ...deniedEnd("host_not_allowed"), deniedUrl: "https://mark.example/" });
    run.end(goodRunEnd);
    expect(at.spans()).toHaveLength(3);
    for (const { name } of at.spans()) expect(name.toLowerCase()).not.toContain("mark");
  });
});
