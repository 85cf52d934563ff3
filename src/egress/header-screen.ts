// What a guest may say in method and headers, and what it may hear. Pure: looks at text, knows no policy,
// and never lets a header decide where a request goes, how it is framed or whose trace it belongs to.

import { bounds } from "../core/bounds.ts";
import type { Reason } from "../core/reason.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type Destination, parseDestination } from "../url/destination.ts";
import type { HeaderField } from "./message.ts";

/** Why a method or a header was refused. */
export interface ScreenFault {
  readonly reason: Reason;
  /** For the operator; names headers, never shows their values. */
  readonly detail: string;
}

/** Request headers that may go on the wire. */
export interface ScreenedHeaders {
  /** Names in lower case, values trimmed, order and repeats kept. */
  readonly headers: readonly HeaderField[];
  /** Names of the trace headers that were taken out, in lower case, one for each, in order. */
  readonly stripped: readonly string[];
}

/**
 * Screens a method: a token of at most `bounds.methodLengthMax` characters (`invalid_method`), and not one of
 * those that no policy allows (`method_not_allowed`).
 */
export function screenMethod(method: unknown): Result<string, ScreenFault> {
  if (typeof method !== "string" || method.length > bounds.methodLengthMax || !token.test(method)) {
    return err({ reason: "invalid_method", detail: "the method is not an HTTP token" });
  }
  // Methods are case-sensitive (RFC 9110 section 9.1), but servers exist that answer `trace` like TRACE.
  if (forbiddenMethods.has(method.toUpperCase())) {
    return err({ reason: "method_not_allowed", detail: `${method.toUpperCase()} is never allowed` });
  }
  return ok(method);
}

/**
 * Screens the headers of a request to `destination`. `bodyBytes` is the length of its body; where it is not known,
 * any well-formed `content-length` passes. All names and values are checked before any header is refused or dropped.
 */
export function screenRequestHeaders(
  headers: readonly HeaderField[],
  request: { readonly destination: Destination; readonly bodyBytes: number | undefined },
): Result<ScreenedHeaders, ScreenFault> {
  const tooLarge = sizeFault(headers, bounds.requestHeadersMax, bounds.requestHeaderBytesMax);
  if (tooLarge !== undefined) return err({ reason: "request_headers_too_large", detail: tooLarge });
  const fields: HeaderField[] = [];
  for (const header of headers) {
    const field = readField(header);
    if (!field.ok) return field;
    fields.push(field.value);
  }
  const kept: HeaderField[] = [];
  const stripped: string[] = [];
  for (const field of fields) {
    const [name, value] = field;
    const verdict = judgeField(name, value, request);
    if (verdict === "refuse") return err({ reason: "header_not_allowed", detail: refusalDetail(name) });
    if (verdict === "strip") stripped.push(name);
    if (verdict === "keep") kept.push(field);
  }
  return ok({ headers: kept, stripped });
}

/**
 * Screens the headers of a response as they came from the wire. Names come back in lower case; headers that
 * speak of the connection are taken out (RFC 9110 section 7.6.1). Faults are `response_headers_too_large`
 * and `protocol_error`.
 */
export function screenResponseHeaders(
  raw: readonly HeaderField[],
): Result<readonly HeaderField[], ScreenFault> {
  const tooLarge = sizeFault(raw, bounds.responseHeadersMax, bounds.responseHeaderBytesMax);
  if (tooLarge !== undefined) return err({ reason: "response_headers_too_large", detail: tooLarge });
  const fields: HeaderField[] = [];
  for (const [name, value] of raw) {
    // A line end in a value would become a header of its own in the guest's list of lines.
    if (!token.test(name) || !responseFieldValue.test(value)) {
      return err({ reason: "protocol_error", detail: "the response has a malformed header" });
    }
    fields.push([name.toLowerCase(), trim(value)]);
  }
  const framing = framingFault(fields);
  if (framing !== undefined) return err({ reason: "protocol_error", detail: framing });
  const named = new Set(
    fields.filter(([name]) => name === "connection").flatMap(([, value]) => connectionOptions(value)),
  );
  return ok(fields.filter(([name]) => !hopByHop(name) && !named.has(name)));
}

// RFC 9110 section 5.6.2.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const tokenOrColon = /^[:!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 section 5.5, with obs-text: one character an octet, so nothing beyond U+00FF. U+0080 to U+009F are control
// characters when a guest writes them, and parts of UTF-8 when a server sends them.
const requestFieldValue = /^[\t -~\u00a0-\u00ff]*$/;
const responseFieldValue = /^[\t -~\u0080-\u00ff]*$/;

const forbiddenMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

// A guest that sets one of these frames the message itself, speaks for a proxy, or passes for the
// machine it runs on.
const refusedNames: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "metadata",
  "metadata-flavor",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-real-ip",
]);
const refusedPrefixes = ["proxy-", "sec-websocket-", "x-aws-ec2-metadata-", "x-forwarded-"];

// Trace context of every vendor: a guest that sets it writes itself into somebody's trace, or takes tags out of ours.
const traceNames: ReadonlySet<string> = new Set([
  "b3", // Zipkin
  "baggage", // W3C
  "correlation-context", // W3C, before it was called baggage
  "elastic-apm-traceparent",
  "grpc-tags-bin", // OpenCensus
  "grpc-trace-bin", // OpenCensus
  "jaeger-baggage",
  "jaeger-debug-id",
  "newrelic",
  "sentry-trace",
  "singularityheader", // AppDynamics
  "traceparent", // W3C
  "tracestate", // W3C
  "uber-trace-id", // Jaeger
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "x-dynatrace",
  "x-honeycomb-trace",
  "x-ot-span-context", // Lightstep, Envoy
]);
const tracePrefixes = [
  "ot-baggage-", // OpenTracing
  "ot-tracer-", // OpenTracing
  "sw8", // SkyWalking: sw8, sw8-correlation, sw8-x
  "uberctx-", // Jaeger
  "x-b3-", // Zipkin
  "x-datadog-",
  "x-instana-",
  "x-newrelic-",
];

const hopByHopNames: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function sizeFault(headers: readonly HeaderField[], countMax: number, bytesMax: number): string | undefined {
  if (headers.length > countMax) return `more than ${countMax} headers`;
  let bytes = 0;
  // A character is one octet on the wire; those that would be more are refused anyway.
  for (const [name, value] of headers) bytes += name.length + value.length;
  return bytes > bytesMax ? `more than ${bytesMax} bytes of headers` : undefined;
}

// `:` is no token character, but a name like `:authority` is well known, so it is refused by name and not as noise.
function readField([name, value]: HeaderField): Result<HeaderField, ScreenFault> {
  // INVARIANT (names are ASCII before they are folded): KELVIN SIGN would become `k` in toLowerCase().
  if (!tokenOrColon.test(name))
    return err({ reason: "invalid_header", detail: "a header name is not a token" });
  const lower = name.toLowerCase();
  if (!requestFieldValue.test(value)) {
    return err({
      reason: "invalid_header",
      detail: `the value of ${shown(lower)} has characters that HTTP forbids`,
    });
  }
  return ok([lower, trim(value)]);
}

type Verdict = "keep" | "drop" | "strip" | "refuse";

function judgeField(
  name: string,
  value: string,
  request: { readonly destination: Destination; readonly bodyBytes: number | undefined },
): Verdict {
  // Servers that speak CGI read `_` as `-`, so `transfer_encoding` would get past every list of names; `:` starts a
  // pseudo-header (RFC 9113 section 8.3).
  if (name.includes("_") || name.includes(":")) return "refuse";
  if (traceNames.has(name) || hasPrefix(name, tracePrefixes)) return "strip";
  // What agrees with what we send anyway is dropped and written by us.
  if (name === "connection" && (value === "close" || value === "keep-alive")) return "drop";
  if (name === "host" && isHostOf(value, request.destination)) return "drop";
  if (name === "content-length" && isLengthOf(value, request.bodyBytes)) return "drop";
  return refusedNames.has(name) || hasPrefix(name, refusedPrefixes) ? "refuse" : "keep";
}

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

// Any spelling of the same authority agrees: other case, the default port, a trailing dot.
function isHostOf(value: string, destination: Destination): boolean {
  if (value === destination.authority) return true;
  if (/[/?#]/.test(value)) return false;
  const parsed = parseDestination(`${destination.scheme}://${value}/`);
  return parsed.ok && parsed.value.authority === destination.authority;
}

function isLengthOf(value: string, bodyBytes: number | undefined): boolean {
  // `007`, `+7`, `7, 7` and `0x7` are lengths to some parsers (RFC 9112 section 6.3 on smuggling).
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(value)) return false;
  return bodyBytes === undefined || value === String(bodyBytes);
}

function refusalDetail(name: string): string {
  if (name === "host") return "host is not the destination's";
  if (name === "content-length") return "content-length is not the body's";
  return `${shown(name)} is not for guests to set`;
}

function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}...` : name;
}

// RFC 9112 section 6: anything but `chunked` alone leaves the end of the body to guesswork.
function framingFault(fields: readonly HeaderField[]): string | undefined {
  const codings = fields
    .filter(([name]) => name === "transfer-encoding")
    .map(([, value]) => value.toLowerCase());
  if (codings.length === 0) return undefined;
  if (codings.length > 1 || codings[0] !== "chunked")
    return "the response has a transfer coding other than chunked";
  const lengthToo = fields.some(([name]) => name === "content-length");
  return lengthToo ? "the response has both a transfer coding and a content length" : undefined;
}

function connectionOptions(value: string): string[] {
  return value.split(",").map((option) => trim(option).toLowerCase());
}

function hopByHop(name: string): boolean {
  return hopByHopNames.has(name) || name.startsWith("proxy-");
}

// SP and HTAB only (RFC 9110 section 5.5); String.prototype.trim() takes NBSP off, which is an octet of text.
// By index and not by pattern: `/[ \t]+$/` takes quadratic time on a long run of blanks (CVE-2023-24807).
function trim(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
