// Every span name and attribute key that exists, each with the spans that carry it. Nothing else spells one out.
// Append-only: dashboards and searches hold on to these words.

/** Which spans carry an attribute: a guest's run, one request of it, one hop on the wire. */
export type SpanPlace = "run" | "request" | "hop";

/** How an attribute's value is typed; durations are doubles in seconds. */
export type AttributeType = "string" | "int" | "double" | "boolean" | "string[]";

interface AttributeEntry<Key extends string> {
  readonly key: Key;
  readonly on: readonly SpanPlace[];
  readonly type: AttributeType;
  /** What the value says: lower-case start, no full stop. */
  readonly meaning: string;
}

function entry<const Key extends string>(
  key: Key,
  on: readonly SpanPlace[],
  type: AttributeType,
  meaning: string,
): AttributeEntry<Key> {
  return { key, on, type, meaning };
}

/** The instrumentation scope of all spans; its version is the package's. */
export const instrumentationScope = { name: "sallyport", version: "0.1.0" } as const;

/** The table of attributes: key, spans, type and meaning. */
export const attributeTable = {
  runId: entry("egress.run.id", ["run", "request", "hop"], "string", "ULID of the run"),
  runStatus: entry(
    "egress.run.status",
    ["run"],
    "string",
    "how the run ended: ok, trapped, deadline, aborted",
  ),
  guestName: entry(
    "egress.guest.name",
    ["run", "request"],
    "string",
    "the guest's id, as the embedder gave it",
  ),
  guestSha256: entry("egress.guest.sha256", ["run"], "string", "SHA-256 of the guest's module, in hex"),
  policySha256: entry(
    "egress.policy.sha256",
    ["run", "request"],
    "string",
    "SHA-256 of the policy's normal form, in hex",
  ),
  policyMode: entry("egress.policy.mode", ["run", "request"], "string", "enforce or report"),
  requestId: entry("egress.request.id", ["request", "hop"], "string", "ULID of the guest's request"),
  requestSeq: entry("egress.request.seq", ["request", "hop"], "int", "n-th request of the run"),
  decision: entry(
    "egress.decision",
    ["request", "hop"],
    "string",
    "allow, deny or would_deny; known when the span starts, so samplers see it; a later denial turns it to deny",
  ),
  reason: entry(
    "egress.reason",
    ["request", "hop"],
    "string",
    "code of the table below; absent for a clean allow",
  ),
  stage: entry("egress.stage", ["request", "hop"], "string", "where in a request's life the reason arose"),
  outcome: entry("egress.outcome", ["request"], "string", "response, denied, failed or cancelled"),
  ruleId: entry("egress.rule.id", ["request", "hop"], "string", "the rule that allowed or explicitly denied"),
  addressRange: entry(
    "egress.address.range",
    ["request", "hop"],
    "string",
    "with address_forbidden: the class of the refused address, or denied_by_rule",
  ),
  redirectCount: entry("egress.redirect.count", ["request"], "int", "redirects that were followed"),
  deniedUrl: entry(
    "egress.denied.url",
    ["request"],
    "string",
    "the redirect target that was refused, redacted",
  ),
  headersStripped: entry(
    "egress.headers.stripped",
    ["request"],
    "int",
    "request headers that were dropped: trace context of the guest's own making",
  ),
  limitName: entry("egress.limit.name", ["request"], "string", "the limit that was exceeded"),
  limitValue: entry("egress.limit.value", ["request"], "double", "what the limit allows"),
  limitObserved: entry(
    "egress.limit.observed",
    ["request"],
    "double",
    "what the request would have made of it",
  ),
  retryAfter: entry(
    "egress.retry_after_ms",
    ["request"],
    "double",
    "milliseconds until the limit admits again",
  ),
  queueDuration: entry("egress.queue.duration", ["request"], "double", "seconds spent waiting for a permit"),
  policyDuration: entry(
    "egress.policy.duration",
    ["request"],
    "double",
    "seconds spent on the first judgement",
  ),
  auditSeq: entry("egress.audit.seq", ["request"], "int", "seq of the decision in the audit log"),
  auditLog: entry("egress.audit.log", ["run"], "string", "id of the audit log"),
  auditHeadSeq: entry(
    "egress.audit.head_seq",
    ["run"],
    "int",
    "seq of the audit log's last record at the run's end",
  ),
  requestsAllowed: entry("egress.requests.allowed", ["run"], "int", "requests that were allowed"),
  requestsDenied: entry("egress.requests.denied", ["run"], "int", "requests that were denied"),
  requestsFailed: entry("egress.requests.failed", ["run"], "int", "requests that were allowed and failed"),
  connectionReused: entry(
    "egress.connection.reused",
    ["hop"],
    "boolean",
    "whether an open connection was used, which has no DNS, connect and TLS times",
  ),
  dnsDuration: entry("egress.dns.duration", ["hop"], "double", "seconds to resolve the name"),
  dnsAnswers: entry("egress.dns.answers", ["hop"], "string[]", "the first 16 addresses of the answer"),
  connectDuration: entry("egress.connect.duration", ["hop"], "double", "seconds to open the TCP connection"),
  tlsDuration: entry("egress.tls.duration", ["hop"], "double", "seconds of the TLS handshake"),
  tlsErrorCode: entry("egress.tls.error_code", ["hop"], "string", "Node's code, such as CERT_HAS_EXPIRED"),
  ttfbDuration: entry(
    "egress.ttfb.duration",
    ["hop"],
    "double",
    "seconds from sending the request to the response's headers",
  ),

  httpMethod: entry(
    "http.request.method",
    ["request", "hop"],
    "string",
    "the method when it is a registered one, else _OTHER",
  ),
  httpMethodOriginal: entry(
    "http.request.method_original",
    ["request", "hop"],
    "string",
    "with _OTHER: the method as sent, cut to 32 characters",
  ),
  httpStatus: entry("http.response.status_code", ["request", "hop"], "int", "the response's status"),
  httpResendCount: entry(
    "http.request.resend_count",
    ["hop"],
    "int",
    "n-th re-send, from 1; absent on the first hop",
  ),
  httpRequestBodySize: entry("http.request.body.size", ["request"], "int", "body bytes that the guest sent"),
  httpResponseBodySize: entry(
    "http.response.body.size",
    ["request"],
    "int",
    "body bytes that the guest was given",
  ),
  urlFull: entry("url.full", ["request", "hop"], "string", "the URL, redacted"),
  urlTemplate: entry(
    "url.template",
    ["request", "hop"],
    "string",
    "the path pattern of the rule that matched",
  ),
  serverAddress: entry(
    "server.address",
    ["request", "hop"],
    "string",
    "the name or address that was asked for",
  ),
  serverPort: entry("server.port", ["request", "hop"], "int", "the port that was asked for"),
  peerAddress: entry("network.peer.address", ["hop"], "string", "the address that was dialled"),
  peerPort: entry("network.peer.port", ["hop"], "int", "the port that was dialled"),
  protocolVersion: entry("network.protocol.version", ["hop"], "string", "1.1"),
  tlsVersion: entry("tls.protocol.version", ["hop"], "string", "1.2 or 1.3"),
  errorType: entry(
    "error.type",
    ["run", "request", "hop"],
    "string",
    "with status Error: the reason; on a hop also the HTTP status of 400 and above; on a run trapped or run_deadline_exceeded",
  ),
} as const;

/** A name that this code has for an attribute. */
export type AttributeName = keyof typeof attributeTable;

/** An attribute's key as it goes out. */
export type AttributeKey = (typeof attributeTable)[AttributeName]["key"];

function keysOf<Table extends Record<string, { readonly key: string }>>(
  table: Table,
): { readonly [Name in keyof Table]: Table[Name]["key"] } {
  const pairs = Object.entries(table).map(([name, { key }]) => [name, key] as const);
  return Object.fromEntries(pairs) as { [Name in keyof Table]: Table[Name]["key"] };
}

/** The keys alone: `keys.decision` is `"egress.decision"`. */
export const keys = keysOf(attributeTable);

/** How spans are named. No part of a name is a guest's text: trace stores list all names for ever. */
export const spanNames = {
  /** `guestName` is the embedder's. */
  run: (guestName: string) => `run ${guestName}`,
  /** `method` is a registered one, or `HTTP`. */
  request: (method: string) => `egress ${method}`,
  /** The name of a request span from the moment of its denial. */
  denied: (method: string) => `egress ${method} denied`,
  /** `template` is the path pattern of a rule, never the path of a request. */
  hop: (method: string, template: string | undefined) =>
    template === undefined ? method : `${method} ${template}`,
} as const;
