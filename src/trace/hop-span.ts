// One request on the wire as a CLIENT span. Ends with the response's headers, as the HTTP conventions ask: the body
// belongs to the request's span.

import { type Context, SpanKind, type Tracer } from "@opentelemetry/api";
import { reasonTable } from "../core/reason.ts";
import { keys, spanNames } from "./attributes.ts";
import { type GuardedSpan, type RawAttributes, seconds, startGuardedSpan } from "./guarded-span.ts";
import { methodAttributes, methodWord } from "./method.ts";
import { redactUrl } from "./redact.ts";
import type { ConnectionFacts, HopEnd, HopFacts, HopSpan, RequestFacts } from "./span-facts.ts";

/** Starts a hop's span under its request's; what `facts` leave out comes from the request. */
export function startHop(
  otel: Tracer | undefined,
  facts: HopFacts,
  request: RequestFacts,
  parent: Context,
): HopSpan {
  const { destination } = facts;
  const start = {
    name: spanNames.hop(methodWord(facts.method), facts.urlTemplate),
    kind: SpanKind.CLIENT,
    attributes: {
      [keys.runId]: request.runId,
      [keys.requestId]: request.requestId,
      [keys.requestSeq]: request.seq,
      [keys.decision]: facts.decision ?? request.decision,
      [keys.ruleId]: facts.rule ?? request.rule,
      ...methodAttributes(facts.method),
      [keys.httpResendCount]: facts.resendCount > 0 ? facts.resendCount : undefined,
      [keys.urlFull]: redactUrl(destination),
      [keys.urlTemplate]: facts.urlTemplate,
      [keys.serverAddress]: destination.hostText,
      [keys.serverPort]: destination.port,
    },
    startTimeMs: facts.startTimeMs,
  };
  const span = startGuardedSpan(otel, start, parent);
  return {
    traceparent: span.traceparent,
    connected(connection) {
      if (span.isRecording()) span.set(connectionAttributes(connection));
    },
    end(end) {
      if (span.isRecording()) describeHopEnd(span, end);
      span.end(end.endTimeMs);
    },
  };
}

function connectionAttributes(facts: ConnectionFacts): RawAttributes {
  return {
    [keys.peerAddress]: facts.peerAddress,
    [keys.peerPort]: facts.peerPort,
    [keys.protocolVersion]: "1.1",
    [keys.connectionReused]: facts.reused,
    [keys.dnsDuration]: seconds(facts.dnsMs),
    [keys.dnsAnswers]: facts.answers,
    [keys.connectDuration]: seconds(facts.connectMs),
    [keys.tlsDuration]: seconds(facts.tlsMs),
    [keys.tlsVersion]: facts.tlsVersion?.replace(/^TLSv/, ""),
  };
}

function describeHopEnd(span: GuardedSpan, end: HopEnd): void {
  const kind = end.kind ?? (end.reason && reasonTable[end.reason].kind);
  span.set({
    [keys.decision]: kind === "denial" ? "deny" : undefined,
    [keys.reason]: end.reason,
    [keys.stage]: end.stage,
    [keys.addressRange]: end.range,
    [keys.httpStatus]: end.status,
    [keys.ttfbDuration]: seconds(end.ttfbMs),
    [keys.tlsErrorCode]: end.tlsErrorCode,
  });
  if (end.reason !== undefined && kind !== "cancel") span.fail(end.reason);
  else if (end.status !== undefined && end.status >= 400) span.fail(String(end.status));
}
