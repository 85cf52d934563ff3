// Sends a run's spans to a collector. Loaded only when an exporter is configured.
// INVARIANT (telemetry has no say): nothing here can delay the run, change its exit status, or hold the process
// for longer than `closeMsMax`.
import type { Context } from "@opentelemetry/api";
import { createTraceState, DiagLogLevel, diag, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, Sampler, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TelemetrySettings } from "./telemetry-settings.ts";
import { printable } from "./terminal.ts";

/** Spans under way to a collector. */
export interface Telemetry {
  readonly tracerProvider: TracerProvider;
  /** The caller's span, from TRACEPARENT. */
  readonly parentContext: Context;
  /** Sends what is left, within `closeMsMax`; returns a sentence when spans were lost. Never rejects. */
  close(): Promise<string | undefined>;
}

/** Long enough for a healthy collector, short enough for a script: without it a dead one costs 8 s. */
const closeMsMax = 3_000;

/** Opens the exporter. Nothing is registered globally: the provider is the run's own. */
export function openTelemetry(settings: TelemetrySettings, version: string): Telemetry {
  if (settings.logLevel !== undefined) logToStandardError(settings.logLevel);
  const counts: Counts = { ended: 0, delivered: 0, fault: undefined };
  const exporter = countingExporter(new OTLPTraceExporter({ url: settings.url }), counts);
  const batches = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: settings.scheduleDelayMs,
    exportTimeoutMillis: settings.exportTimeoutMs,
    maxQueueSize: settings.queueSpansMax,
    maxExportBatchSize: settings.batchSpansMax,
  });
  const named = resourceFromAttributes({ "service.name": "sallyport", "service.version": version });
  const tracerProvider = new TracerProvider({
    // The environment's names win over ours.
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(settings),
    spanLimits: {
      attributeValueLengthLimit: settings.attributeLengthMax,
      attributeCountLimit: settings.attributesMax,
    },
    spanProcessors: [countingProcessor(counts), batches],
  });
  return {
    tracerProvider,
    parentContext: parentContextOf(settings.traceparent, settings.tracestate),
    async close() {
      const bound = AbortSignal.timeout(closeMsMax);
      const late = new Promise<void>((resolve) => bound.addEventListener("abort", () => resolve()));
      const done = tracerProvider.shutdown().catch((fault: unknown) => {
        counts.fault ??= fault;
      });
      await Promise.race([done, late]);
      const lost = counts.ended - counts.delivered;
      if (lost <= 0) return undefined;
      const why = bound.aborted ? `no answer within ${closeMsMax / 1000} s` : faultText(counts.fault);
      return `${lost} of ${counts.ended} spans did not reach ${settings.url.replace(/[?#].*/s, "")}: ${why}`;
    },
  };
}

interface Counts {
  ended: number;
  delivered: number;
  fault: unknown;
}

// The SDK's own counters need a meter provider; counting both ends also finds what a full queue dropped.
function countingProcessor(counts: Counts): SpanProcessor {
  return {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & 1) === 1) counts.ended += 1;
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

function countingExporter(inner: SpanExporter, counts: Counts): SpanExporter {
  return {
    export(spans: ReadableSpan[], done) {
      inner.export(spans, (result) => {
        if (result.code === 0) counts.delivered += spans.length;
        else counts.fault = result.error ?? counts.fault;
        done(result);
      });
    },
    shutdown: () => inner.shutdown(),
    forceFlush: () => inner.forceFlush?.() ?? Promise.resolve(),
  };
}

function faultText(fault: unknown): string {
  if (!(fault instanceof Error)) return "the queue was full";
  // A refused connection to a name with two addresses is an AggregateError without words of its own.
  const inner: unknown = fault instanceof AggregateError ? fault.errors[0] : undefined;
  const code = "code" in fault ? String(fault.code) : "";
  const words = fault.message || (inner instanceof Error ? inner.message : "") || fault.name;
  return printable(/^\d+$/.test(code) ? `HTTP ${code} ${words}` : words).slice(0, 200);
}

function samplerOf(settings: TelemetrySettings): Sampler {
  const root = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(settings.samplerRatio),
  };
  switch (settings.sampler) {
    case "always_on":
    case "always_off":
    case "traceidratio":
      return root[settings.sampler]();
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: root.always_on() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: root.always_off() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: root.traceidratio() });
  }
}

// W3C Trace Context, section 3.2: version ff and zero ids are invalid; version 00 ends after the flags.
const traceparentForm = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

function parentContextOf(traceparent: string | undefined, tracestate: string | undefined): Context {
  const [, version, traceId = "", spanId = "", flags = "", rest] =
    traceparentForm.exec(traceparent ?? "") ?? [];
  const usable = version !== undefined && !/^0+$/.test(traceId) && !/^0+$/.test(spanId);
  if (!usable || (version === "00" && rest !== undefined)) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  });
}

// The SDK's console logger would write some levels to standard output, which is the guest's alone.
function logToStandardError(level: string): void {
  const levels: Readonly<Record<string, DiagLogLevel>> = {
    none: DiagLogLevel.NONE,
    error: DiagLogLevel.ERROR,
    warn: DiagLogLevel.WARN,
    info: DiagLogLevel.INFO,
    debug: DiagLogLevel.DEBUG,
    verbose: DiagLogLevel.VERBOSE,
    all: DiagLogLevel.ALL,
  };
  const line = (...words: readonly unknown[]): void => {
    process.stderr.write(`otel: ${printable(words.map(String).join(" ")).slice(0, 500)}\n`);
  };
  const logger = { error: line, warn: line, info: line, debug: line, verbose: line };
  diag.setLogger(logger, { logLevel: levels[level] ?? DiagLogLevel.INFO, suppressOverrideMessage: true });
}
