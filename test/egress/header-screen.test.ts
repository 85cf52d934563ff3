// Request headers that go through, are dropped or are counted, and the bounds on all of them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { screenRequestHeaders } from "../../src/egress/header-screen.ts";
import type { HeaderField } from "../../src/egress/message.ts";
import { destinationOf } from "../support/arbitraries.ts";

const destination = destinationOf("https://api.example/v1");

const kept: readonly (readonly [name: string, value: string, sent: string, why: string])[] = [
  ["Accept", "*/*", "accept: */*", "names go in lower case"],
  ["X-Api-Key", "  secret\t ", "x-api-key: secret", "values are trimmed of blanks"],
  ["authorization", "Bearer abc", "authorization: Bearer abc", "a guest may have credentials of its own"],
  ["Cookie", "a=b", "cookie: a=b", "and cookies"],
  ["x-empty", "", "x-empty: ", "an empty value is a value"],
  ["x-blank", " \t ", "x-blank: ", "blanks alone are an empty value"],
  ["x-tab", "a\tb", "x-tab: a\tb", "a tab within a value is text"],
  ["x-latin", "\u00e9\u00ff\u00a0", "x-latin: \u00e9\u00ff\u00a0", "octets above ASCII are text"],
  ["x-nbsp", "\u00a0a\u00a0", "x-nbsp: \u00a0a\u00a0", "a no-break space is an octet of text, not a blank"],
  ["!#$%&'*+-.^`|~09az", "a", "!#$%&'*+-.^`|~09az: a", "every character of a token but _"],
  ["content-type", "text/plain", "content-type: text/plain", "a header of the body"],
  ["range", "bytes=0-1", "range: bytes=0-1", "a range"],
  ["origin", "https://x.example", "origin: https://x.example", "an origin is a claim the server judges"],
  ["accept-encoding", "gzip", "accept-encoding: gzip", "the guest inflates what it asked for"],
  ["constructor", "a", "constructor: a", "a name of Object.prototype"],
  ["x-request-id", "a", "x-request-id: a", "the application's own"],
  ["proxy", "a", "proxy: a", "a prefix has its hyphen"],
  ["tea", "a", "tea: a", "a name is not a prefix"],
  ["vial", "a", "vial: a", "a name is not a prefix"],
  ["x-trace-mode", "a", "x-trace-mode: a", "no vendor's trace header"],
];

const dropped: readonly (readonly [name: string, value: string, why: string])[] = [
  ["connection", "close", "what we decide ourselves"],
  ["Connection", "keep-alive", "what we decide ourselves"],
  ["connection", " keep-alive ", "trimmed first"],
  ["host", "api.example", "the destination's own"],
  ["Host", "API.EXAMPLE:443", "the destination's own in another spelling"],
  ["host", "api.example.", "the destination's own with a trailing dot"],
  ["host", "api.example:", "the destination's own with an empty port"],
  ["Content-Length", "5", "the body's own"],
];

const traces = [
  "traceparent",
  "TraceState",
  "baggage",
  "b3",
  "X-B3-TraceId",
  "x-b3-sampled",
  "uber-trace-id",
  "uberctx-user",
  "x-cloud-trace-context",
  "X-Amzn-Trace-Id",
  "x-datadog-trace-id",
  "x-datadog-tags",
  "grpc-trace-bin",
  "sw8",
  "sw8-correlation",
  "elastic-apm-traceparent",
  "newrelic",
  "sentry-trace",
  "x-ot-span-context",
  "ot-tracer-traceid",
  "x-instana-t",
  "jaeger-debug-id",
];

describe("screenRequestHeaders", () => {
  for (const [name, value, sent, why] of kept) {
    test(`sends ${JSON.stringify(name)}: ${why}`, () => {
      expect(screen([[name, value]])).toEqual({ sent: [sent], stripped: 0 });
    });
  }
  for (const [name, value, why] of dropped) {
    test(`drops ${name}: ${JSON.stringify(value)}: ${why}`, () => {
      expect(screen([[name, value]])).toEqual({ sent: [], stripped: 0 });
    });
  }
  for (const name of traces) {
    test(`drops and counts ${name}`, () => {
      expect(
        screen([
          ["accept", "a"],
          [name, "x"],
          [name, "y"],
        ]),
      ).toEqual({ sent: ["accept: a"], stripped: 2 });
    });
  }

  test("names what it dropped, once for each time", () => {
    const headers: HeaderField[] = [
      ["B3", "x"],
      ["accept", "x"],
      ["traceparent", "y"],
      ["b3", "z"],
    ];
    expect(screenRequestHeaders(headers, { destination, bodyBytes: 0 })).toMatchObject({
      value: { stripped: ["b3", "traceparent", "b3"] },
    });
  });

  test("keeps repeats in their order", () => {
    expect(
      screen([
        ["x", "1"],
        ["Y", "2"],
        ["X", "3"],
        ["x", "1"],
      ]),
    ).toEqual({
      sent: ["x: 1", "y: 2", "x: 3", "x: 1"],
      stripped: 0,
    });
  });

  test("refuses a request for one header among good ones", () => {
    expect(
      screen([
        ["accept", "a"],
        ["via", "b"],
        ["x", "c"],
      ]),
    ).toBe("header_not_allowed");
  });

  test("tells a malformed header before one that is not allowed", () => {
    expect(
      screen([
        ["via", "a"],
        ["x_y", "b"],
        ["x", "\n"],
      ]),
    ).toBe("invalid_header");
  });

  test("takes a content-length of 0 without a body, and any plain one when the body is not known", () => {
    const header: HeaderField[] = [["content-length", "0"]];
    expect(screenRequestHeaders(header, { destination, bodyBytes: 0 })).toMatchObject({ ok: true });
    expect(screenRequestHeaders([["content-length", "77"]], { destination, bodyBytes: undefined })).toEqual({
      ok: true,
      value: { headers: [], stripped: [] },
    });
    expect(screenRequestHeaders([["content-length", "7 7"]], { destination, bodyBytes: undefined }).ok).toBe(
      false,
    );
  });

  test("takes the host of an address with its brackets and port only", () => {
    const literal = { destination: destinationOf("http://[2001:db8::1]:8080/"), bodyBytes: 0 };
    for (const value of ["[2001:db8::1]:8080", "[2001:DB8:0::1]:8080"]) {
      expect(screenRequestHeaders([["host", value]], literal).ok).toBe(true);
    }
    for (const value of ["2001:db8::1", "[2001:db8::1]", "[2001:db8::2]:8080"]) {
      expect(screenRequestHeaders([["host", value]], literal).ok).toBe(false);
    }
  });

  test("takes as many headers as the bound and not one more", () => {
    const headers = Array.from({ length: bounds.requestHeadersMax }, (): HeaderField => ["x", "y"]);
    expect(screen(headers)).toMatchObject({ stripped: 0 });
    expect(screen([...headers, ["x", "y"]])).toBe("request_headers_too_large");
  });

  test("counts headers that would be dropped", () => {
    const headers = Array.from(
      { length: bounds.requestHeadersMax + 1 },
      (): HeaderField => ["traceparent", "y"],
    );
    expect(screen(headers)).toBe("request_headers_too_large");
  });

  test("takes as many bytes as the bound and not one more, names and values together", () => {
    const value = "a".repeat(bounds.requestHeaderBytesMax - 1);
    expect(screen([["x", value]])).toMatchObject({ stripped: 0 });
    expect(screen([["xx", value]])).toBe("request_headers_too_large");
    expect(
      screen([
        ["x", value],
        ["y", ""],
      ]),
    ).toBe("request_headers_too_large");
  });

  test("trims a long run of blanks in no time", () => {
    const blanks = " ".repeat(bounds.requestHeaderBytesMax / 2 - 10);
    expect(screen([["x", `${blanks}a${blanks}`]])).toEqual({ sent: ["x: a"], stripped: 0 });
  });

  test("never shows a value in a detail", () => {
    for (const name of ["via", "host", "content-length", "x_y", "x"]) {
      const result = screenRequestHeaders(
        [
          [name, "s3cret\u0100"],
          [name, "s3cret"],
        ],
        { destination, bodyBytes: 5 },
      );
      expect(JSON.stringify(result)).not.toContain("s3cret");
      const second = screenRequestHeaders([[name === "x" ? "te" : name, "s3cret"]], {
        destination,
        bodyBytes: 5,
      });
      expect(JSON.stringify(second)).not.toContain("s3cret");
    }
  });

  test("sends nothing but lower-case tokens and octets without line ends, whatever it is given", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom("host", "te", "via", "x", "traceparent", "connection"),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 4 }), (headers) => {
        const result = screenRequestHeaders(headers, { destination, bodyBytes: 0 });
        if (!result.ok) return;
        for (const [name, value] of result.value.headers) {
          expect(name).toMatch(/^[!#$%&'*+\-.^`|~0-9a-z]+$/);
          expect(value).toMatch(/^(?:[!-~\u00a0-\u00ff](?:[\t -~\u00a0-\u00ff]*[!-~\u00a0-\u00ff])?)?$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function screen(headers: readonly HeaderField[]): string | { sent: string[]; stripped: number } {
  const result = screenRequestHeaders(headers, { destination, bodyBytes: 5 });
  if (!result.ok) return result.error.reason;
  return {
    sent: result.value.headers.map(([name, value]) => `${name}: ${value}`),
    stripped: result.value.stripped.length,
  };
}
