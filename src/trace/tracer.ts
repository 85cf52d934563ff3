// A run, its requests and their hops as spans. Tells what happened and never has a say in it: no caller waits for a
// span, and none fails by one. Registers no provider and shuts none down.

import {
  type Context,
  context,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  SpanKind,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import type { ReasonKind } from "../core/reason.ts";
import { instrumentationScope, keys, spanNames } from "./attributes.ts";
import { attempt, type GuardedSpan, type RawAttributes, seconds, startGuardedSpan } from "./guarded-span.ts";
import { startHop } from "./hop-span.ts";
import { methodAttributes, methodWord } from "./method.ts";
import { redactUrl } from "./redact.ts";
import type {
  HopEnd,
  HopSpan,
  RequestEnd,
  RequestFacts,
  RequestSpan,
  RunEnd,
  RunFacts,
  RunSpan,
} from "./span-facts.ts";

export type * from "./span-facts.ts";
export { suppressTracing } from "./suppress-tracing.ts";

/** Where runs become spans. */
export interface Tracer {
  /** `parent`: the embedder's context; default: its active one, so that a run hangs under what started it. */
  startRun(facts: RunFacts, parent?: Context): RunSpan;
}

/**
 * Opens a tracer on the given provider, or on the global one, also when that is registered later. Works with any
 * provider, none at all, and a broken one.
 */
export function openTracer(provider?: TracerProvider): Tracer {
  const { name, version } = instrumentationScope;
  const otel = attempt(() => (provider ?? trace.getTracerProvider()).getTracer(name, version));
  return {
    startRun: (facts, parent) =>
      startRun(otel, facts, parent ?? attempt(() => context.active()) ?? ROOT_CONTEXT),
  };
}

interface RequestHandle {
  readonly span: RequestSpan;
  /** Ends a request whose run is over. */
  readonly abandon: (endTimeMs: number | undefined) => void;
}

function startRun(otel: OtelTracer | undefined, facts: RunFacts, parent: Context): RunSpan {
  const start = {
    name: spanNames.run(facts.guestName),
    kind: SpanKind.INTERNAL,
    attributes: {
      [keys.runId]: facts.runId,
      [keys.guestName]: facts.guestName,
      [keys.guestSha256]: facts.guestSha256,
      [keys.policySha256]: facts.policySha256,
      [keys.policyMode]: facts.policyMode,
    },
    startTimeMs: facts.startTimeMs,
  };
  const span = startGuardedSpan(otel, start, parent);
  const open = new Set<RequestHandle>();
  let ended = false;

  return {
    ...(span.traceId === undefined ? {} : { traceId: span.traceId }),
    startRequest(requestFacts) {
      const tracing = ended ? undefined : otel;
      const handle = startRequest(tracing, requestFacts, facts.guestName, span.context, () =>
        open.delete(handle),
      );
      if (!ended) open.add(handle);
      return handle.span;
    },
    end(end) {
      ended = true;
      // INVARIANT (children end first): exporters that flush at the end of the run miss none of its spans.
      for (const handle of open) handle.abandon(end.endTimeMs);
      if (span.isRecording()) describeRunEnd(span, end);
      span.end(end.endTimeMs);
    },
  };
}

function describeRunEnd(span: GuardedSpan, end: RunEnd): void {
  // A log without an id is none, and its numbers lead nowhere.
  const audited = end.auditLog !== undefined && end.auditLog !== "";
  span.set({
    [keys.runStatus]: end.status,
    [keys.requestsAllowed]: end.allowed,
    [keys.requestsDenied]: end.denied,
    [keys.requestsFailed]: end.failed,
    [keys.auditLog]: audited ? end.auditLog : undefined,
    [keys.auditHeadSeq]: audited ? end.auditHeadSeq : undefined,
  });
  // An abort is the embedder's wish and no error.
  if (end.status === "trapped") span.fail("trapped");
  if (end.status === "deadline") span.fail("run_deadline_exceeded");
}

function startRequest(
  otel: OtelTracer | undefined,
  facts: RequestFacts,
  guestName: string,
  parent: Context,
  onEnd: () => void,
): RequestHandle {
  const start = {
    name: spanNames.request(methodWord(facts.method)),
    kind: SpanKind.INTERNAL,
    attributes: requestAttributes(facts, guestName),
    startTimeMs: facts.startTimeMs,
  };
  const span = startGuardedSpan(otel, start, parent);
  let openHop: HopSpan | undefined;
  let ended = false;

  function finish(end: Partial<RequestEnd>): void {
    ended = true;
    openHop?.end(hopEndOf(end));
    if (span.isRecording()) describeRequestEnd(span, facts, end);
    span.end(end.endTimeMs);
    onEnd();
  }

  return {
    span: {
      ...(span.traceId === undefined ? {} : { traceId: span.traceId }),
      ...(span.spanId === undefined ? {} : { spanId: span.spanId }),
      startHop(hopFacts) {
        openHop?.end({});
        openHop = startHop(ended ? undefined : otel, hopFacts, facts, span.context);
        return openHop;
      },
      end: finish,
    },
    abandon: (endTimeMs) =>
      finish({ outcome: "cancelled", reason: "guest_terminated", stage: "guest", endTimeMs }),
  };
}

function requestAttributes(facts: RequestFacts, guestName: string): RawAttributes {
  const { destination } = facts;
  return {
    [keys.runId]: facts.runId,
    [keys.guestName]: guestName,
    [keys.policySha256]: facts.policySha256,
    [keys.policyMode]: facts.policyMode,
    [keys.requestId]: facts.requestId,
    [keys.requestSeq]: facts.seq,
    [keys.decision]: facts.decision,
    [keys.reason]: facts.reason,
    [keys.stage]: facts.stage,
    [keys.ruleId]: facts.rule,
    [keys.addressRange]: facts.range,
    [keys.headersStripped]: facts.strippedHeaders,
    [keys.policyDuration]: seconds(facts.policyMs),
    [keys.queueDuration]: seconds(facts.queueMs),
    ...methodAttributes(facts.method),
    [keys.urlFull]: facts.url ?? (destination && redactUrl(destination)),
    [keys.urlTemplate]: facts.urlTemplate,
    [keys.serverAddress]: destination?.hostText,
    [keys.serverPort]: destination?.port,
  };
}

function describeRequestEnd(span: GuardedSpan, facts: RequestFacts, end: Partial<RequestEnd>): void {
  span.set({
    [keys.outcome]: end.outcome,
    [keys.decision]: end.decision,
    [keys.reason]: end.reason,
    [keys.stage]: end.stage,
    [keys.ruleId]: end.rule,
    [keys.addressRange]: end.range,
    [keys.httpStatus]: end.status,
    [keys.redirectCount]: end.redirects,
    [keys.deniedUrl]: end.deniedUrl,
    [keys.httpRequestBodySize]: end.bytesOut,
    [keys.httpResponseBodySize]: end.bytesIn,
    [keys.auditSeq]: end.auditSeq,
    [keys.limitName]: end.limit?.name,
    [keys.limitValue]: end.limit?.value,
    [keys.limitObserved]: end.limit?.observed,
    [keys.retryAfter]: end.limit?.retryAfterMs,
  });
  // A 404 is an answer: it marks the hop, not the request, so that errors of requests are denials and failures only.
  if (end.outcome === "denied") span.rename(spanNames.denied(methodWord(facts.method)));
  if (end.outcome === "denied" || end.outcome === "failed") span.fail(end.reason ?? facts.reason ?? "_OTHER");
}

// What a hop still open ends with when its request does.
function hopEndOf(end: Partial<RequestEnd>): HopEnd {
  const kinds: Readonly<Record<RequestEnd["outcome"], ReasonKind | undefined>> = {
    response: undefined,
    denied: "denial",
    failed: "failure",
    cancelled: "cancel",
  };
  const kind = end.outcome && kinds[end.outcome];
  const { endTimeMs, reason, stage, range } = end;
  return kind === undefined ? { endTimeMs } : { kind, reason, stage, range, endTimeMs };
}
