// The only place that touches a span of OpenTelemetry: whatever a provider does, its caller goes on.
// Never lets an exception out, an unbounded string in, or a second end through.

import {
  type Attributes,
  type Context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  type SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { bounds } from "../core/bounds.ts";
import { recordText } from "../core/record-text.ts";
import { type AttributeKey, keys } from "./attributes.ts";

/** Attributes as they come: what is undefined or no finite number is left out. */
export type RawAttributes = {
  readonly [Key in AttributeKey]?: string | number | boolean | readonly string[] | undefined;
};

/** How a span begins. */
export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** Seen by samplers. */
  readonly attributes: RawAttributes;
  /** Milliseconds since 1970; default: now. */
  readonly startTimeMs: number | undefined;
}

/** A span that cannot disturb its caller. */
export interface GuardedSpan {
  /** What children start under. */
  readonly context: Context;
  readonly traceId?: string;
  readonly spanId?: string;
  traceparent(): string | undefined;
  /** False once it has ended: whoever asks first saves the making of attributes that nobody keeps. */
  isRecording(): boolean;
  set(attributes: RawAttributes): void;
  rename(name: string): void;
  /** Status Error with an `error.type`, without a description: the reason says it all. */
  fail(errorType: string): void;
  end(endTimeMs: number | undefined): void;
}

/** Runs code of the embedder's provider. INVARIANT (tracing alters nothing): its exceptions end here. */
export function attempt<Value>(action: () => Value): Value | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** Starts a span under an explicit context; gives a span that does nothing when the provider fails. */
export function startGuardedSpan(tracer: Tracer | undefined, start: SpanStart, parent: Context): GuardedSpan {
  // A broken provider may give anything at all, whatever its types say.
  const span: Span | undefined = attempt(() =>
    tracer?.startSpan(
      boundName(start.name),
      {
        kind: start.kind,
        attributes: boundAttributes(start.attributes),
        ...(start.startTimeMs === undefined ? {} : { startTime: hrTime(start.startTimeMs) }),
      },
      parent,
    ),
  );
  const own = span === undefined ? undefined : attempt(() => validContext(span));
  let ended = false;

  return {
    context: span === undefined || own === undefined ? parent : trace.setSpan(parent, span),
    ...(own === undefined ? {} : { traceId: own.traceId, spanId: own.spanId }),
    traceparent() {
      if (own === undefined) return undefined;
      // W3C Trace Context section 3.2: version 00, two hex digits of flags.
      return `00-${own.traceId}-${own.spanId}-${(own.traceFlags & 0xff).toString(16).padStart(2, "0")}`;
    },
    isRecording: () => !ended && attempt(() => span?.isRecording()) === true,
    set(attributes) {
      if (!ended) attempt(() => span?.setAttributes(boundAttributes(attributes)));
    },
    rename(name) {
      if (!ended) attempt(() => span?.updateName(boundName(name)));
    },
    fail(errorType) {
      if (ended) return;
      attempt(() => span?.setAttributes(boundAttributes({ [keys.errorType]: errorType })));
      attempt(() => span?.setStatus({ code: SpanStatusCode.ERROR }));
    },
    end(endTimeMs) {
      if (ended) return;
      ended = true;
      attempt(() => (endTimeMs === undefined ? span?.end() : span?.end(hrTime(endTimeMs))));
    },
  };
}

/** A duration as conventions want it. */
export function seconds(durationMs: number | undefined): number | undefined {
  return durationMs === undefined ? undefined : durationMs / 1000;
}

function validContext(span: Span): SpanContext | undefined {
  const own = span.spanContext();
  return isSpanContextValid(own) ? own : undefined;
}

// Not as a number: the SDK takes small numbers for performance.now() and adds the start of the process.
function hrTime(timeMs: number): [number, number] {
  const seconds = Math.floor(timeMs / 1000);
  return [seconds, Math.min(Math.round((timeMs - seconds * 1000) * 1_000_000), 999_999_999)];
}

function boundName(name: string): string {
  return recordText(name, bounds.spanNameLengthMax);
}

// INVARIANT (bounded attributes): every attribute of every span passes here. The SDK's own length limit is off
// by default, and it takes NaN and objects as they are.
function boundAttributes(raw: RawAttributes): Attributes {
  const attributes: Attributes = {};
  for (const key of Object.keys(raw) as AttributeKey[]) {
    const value = raw[key];
    if (typeof value === "string") {
      attributes[key] = recordText(value, lengthMaxOf(key));
    } else if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) {
      attributes[key] = value;
    } else if (Array.isArray(value)) {
      const listed = value.slice(0, bounds.recordedAnswersMax);
      attributes[key] = listed.map((text) => recordText(String(text), bounds.recordedListTextMax));
    }
  }
  return attributes;
}

function lengthMaxOf(key: AttributeKey): number {
  switch (key) {
    case keys.serverAddress:
      return bounds.hostLengthMax;
    case keys.httpMethodOriginal:
      return bounds.methodLengthMax;
    default:
      return bounds.recordTextMax;
  }
}
