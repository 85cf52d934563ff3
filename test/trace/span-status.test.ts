// Which spans are errors, of what type, and how denials and redirects show.
import { SpanStatusCode } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { type Reason, type ReasonKind, reasonTable } from "../../src/core/reason.ts";
import { deniedEnd, goodEnd, goodRunEnd, hopFacts, startedHop, startedRequest } from "./recording.ts";

describe("status", () => {
  const reasons = Object.entries(reasonTable) as [Reason, { kind: ReasonKind }][];
  const bad = reasons.filter(([, { kind }]) => kind !== "cancel");
  const cancels = reasons.filter(([, { kind }]) => kind === "cancel");

  test.each(bad)("a request that ends with %s is an error of that type", (reason, { kind }) => {
    const { at, request } = startedRequest();
    request.end({
      ...deniedEnd(reason),
      outcome: kind === "denial" ? "denied" : "failed",
      decision: kind === "denial" ? "deny" : "allow",
    });
    const span = at.span(kind === "denial" ? "egress GET denied" : "egress GET");
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span.attributes).toMatchObject({
      "error.type": reason,
      "egress.reason": reason,
      "egress.stage": reasonTable[reason].stage,
      "egress.decision": kind === "denial" ? "deny" : "allow",
      "egress.outcome": kind === "denial" ? "denied" : "failed",
    });
  });

  test.each(cancels)("a request that ends with %s is no error", (reason) => {
    const { at, request, hop } = startedHop();
    hop.end({ reason, stage: "guest" });
    request.end({ ...deniedEnd(reason), outcome: "cancelled", decision: "allow" });
    for (const name of ["egress GET", "GET /v1/items/*"]) {
      const span = at.span(name);
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
      expect(span.attributes["egress.reason"]).toBe(reason);
      expect(span.attributes).not.toHaveProperty("error.type");
    }
  });

  test("what would be denied is found by its decision and is no error", () => {
    const { at, request, hop } = startedHop({
      decision: "would_deny",
      reason: "host_not_allowed",
      stage: "policy",
      policyMode: "report",
    });
    hop.end({ status: 200 });
    request.end({ ...goodEnd, decision: "would_deny" });
    expect(at.span("GET /v1/items/*").attributes["egress.decision"]).toBe("would_deny");
    const span = at.span("egress GET");
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span.attributes).toMatchObject({
      "egress.decision": "would_deny",
      "egress.reason": "host_not_allowed",
    });
    expect(span.attributes).not.toHaveProperty("error.type");
  });

  test.each([400, 404, 500, 503])("HTTP status %i marks the hop and not the request", (status) => {
    const { at, request, hop } = startedHop();
    hop.end({ status });
    request.end({ ...goodEnd, status });
    expect(at.span("GET /v1/items/*").status).toEqual({ code: SpanStatusCode.ERROR });
    expect(at.span("GET /v1/items/*").attributes["error.type"]).toBe(String(status));
    expect(at.span("egress GET").status).toEqual({ code: SpanStatusCode.UNSET });
    expect(at.span("egress GET").attributes["http.response.status_code"]).toBe(status);
  });

  test.each([200, 204, 301, 304, 399])("HTTP status %i is no error", (status) => {
    const { at, hop } = startedHop();
    hop.end({ status });
    expect(at.span("GET /v1/items/*").status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test("a hop that failed is an error of its reason and stays allowed; one that was denied does not", () => {
    const { at, request } = startedRequest();
    request
      .startHop({ ...hopFacts, urlTemplate: "/failed" })
      .end({ reason: "tls_certificate_invalid", stage: "tls", tlsErrorCode: "CERT_HAS_EXPIRED" });
    request
      .startHop({ ...hopFacts, urlTemplate: "/denied" })
      .end({ reason: "address_forbidden", stage: "address", range: "loopback" });
    expect(at.span("GET /failed").attributes).toMatchObject({
      "egress.decision": "allow",
      "egress.reason": "tls_certificate_invalid",
      "egress.tls.error_code": "CERT_HAS_EXPIRED",
      "error.type": "tls_certificate_invalid",
    });
    expect(at.span("GET /denied").attributes).toMatchObject({
      "egress.decision": "deny",
      "egress.address.range": "loopback",
      "error.type": "address_forbidden",
    });
    expect(at.span("GET /denied").status).toEqual({ code: SpanStatusCode.ERROR });
  });

  test.each([
    ["trapped", "trapped"],
    ["deadline", "run_deadline_exceeded"],
  ] as const)("a run that ended as %s is an error", (status, errorType) => {
    const { at, run } = startedRequest();
    run.end({ ...goodRunEnd, status });
    const span = at.span("run tenant-42/weather");
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span.attributes).toMatchObject({ "egress.run.status": status, "error.type": errorType });
  });

  test("a run that the embedder aborted is no error", () => {
    const { at, run } = startedRequest();
    run.end({ ...goodRunEnd, status: "aborted" });
    expect(at.span("run tenant-42/weather").status).toEqual({ code: SpanStatusCode.UNSET });
  });
});

describe("a denied request", () => {
  test("it has one span, which is renamed, and no hop", () => {
    const { at, run, request } = startedRequest({
      decision: "deny",
      reason: "host_not_allowed",
      stage: "policy",
      rule: undefined,
      urlTemplate: undefined,
    });
    request.end({ ...deniedEnd("host_not_allowed"), auditSeq: 3 });
    run.end({ ...goodRunEnd, allowed: 0, denied: 1 });
    expect(at.spans().map(({ name }) => name)).toEqual(["egress GET denied", "run tenant-42/weather"]);
    expect(at.span("egress GET denied").attributes).not.toHaveProperty("egress.rule.id");
  });

  test("a URL that did not parse is written as it was redacted, without a server", () => {
    const { at, request } = startedRequest({
      destination: undefined,
      url: "http://host:99999/",
      decision: "deny",
      reason: "invalid_url",
    });
    request.end(deniedEnd("invalid_url"));
    const { attributes } = at.span("egress GET denied");
    expect(attributes["url.full"]).toBe("http://host:99999/");
    expect(attributes).not.toHaveProperty("server.address");
    expect(attributes).not.toHaveProperty("server.port");
  });

  test("a refused redirect target is on the request, with the stage redirect", () => {
    const { at, request, hop } = startedHop();
    hop.end({ status: 302 });
    request.end({
      ...deniedEnd("host_not_allowed"),
      stage: "redirect",
      redirects: 0,
      deniedUrl: "https://evil.example/",
    });
    expect(at.span("egress GET denied").attributes).toMatchObject({
      "egress.stage": "redirect",
      "egress.denied.url": "https://evil.example/",
      "egress.reason": "host_not_allowed",
    });
    expect(at.span("GET /v1/items/*").status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test("a limit is told with its name, its value and what was observed", () => {
    const { at, request } = startedRequest();
    request.end({
      ...deniedEnd("rate_limited"),
      limit: { name: "rate", value: 60, observed: 61, retryAfterMs: 250 },
    });
    expect(at.span("egress GET denied").attributes).toMatchObject({
      "egress.limit.name": "rate",
      "egress.limit.value": 60,
      "egress.limit.observed": 61,
      "egress.retry_after_ms": 250,
    });
  });
});

describe("redirects", () => {
  test("hops are siblings, later ones count re-sends and may have another rule", () => {
    const { at, request } = startedRequest();
    request.startHop(hopFacts).end({ status: 302 });
    request
      .startHop({ ...hopFacts, resendCount: 1, urlTemplate: undefined, rule: "cdn", decision: "would_deny" })
      .end({ status: 200 });
    request.end({ ...goodEnd, redirects: 1 });
    const [first, second, whole] = [at.span("GET /v1/items/*"), at.span("GET"), at.span("egress GET")];
    expect(first.attributes).not.toHaveProperty("http.request.resend_count");
    expect(second.attributes).toMatchObject({
      "http.request.resend_count": 1,
      "egress.rule.id": "cdn",
      "egress.decision": "would_deny",
    });
    expect(first.parentSpanContext?.spanId).toBe(whole.spanContext().spanId);
    expect(second.parentSpanContext?.spanId).toBe(whole.spanContext().spanId);
    expect(whole.attributes["egress.redirect.count"]).toBe(1);
  });
});
