// A provider that keeps every span in memory, and facts that tests start from.
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { type Reason, reasonTable } from "../../src/core/reason.ts";
import {
  type HopSpan,
  openTracer,
  type RequestEnd,
  type RequestFacts,
  type RequestSpan,
  type RunFacts,
  type RunSpan,
  type Tracer,
} from "../../src/trace/tracer.ts";
import { destinationOf } from "../support/arbitraries.ts";

/** A tracer whose spans a test can read. */
export interface Recording {
  readonly tracer: Tracer;
  readonly provider: TracerProvider;
  /** All spans in the order of their ends. */
  spans(): ReadableSpan[];
  /** The one span of this name. */
  span(name: string): ReadableSpan;
}

/** Opens a tracer on a provider of its own. */
export function recording(options: { readonly sampler?: Sampler } = {}): Recording {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    ...options,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  return {
    tracer: openTracer(provider),
    provider,
    spans: () => exporter.getFinishedSpans(),
    span(name) {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name);
      if (found.length !== 1 || found[0] === undefined) {
        throw new Error(`${found.length} spans named ${JSON.stringify(name)}`);
      }
      return found[0];
    },
  };
}

/** A Thursday: 2026-01-01T00:00:00Z. */
export const startMs = Date.UTC(2026, 0, 1);

export const runFacts: RunFacts = {
  runId: "01RUN",
  guestName: "tenant-42/weather",
  guestSha256: "ab".repeat(32),
  policySha256: "cd".repeat(32),
  policyMode: "enforce",
  startTimeMs: startMs,
};

export const requestFacts: RequestFacts = {
  runId: "01RUN",
  requestId: "01REQ",
  seq: 1,
  method: "GET",
  destination: destinationOf("https://api.example.com/v1/items/7?token=s3cret"),
  decision: "allow",
  rule: "forecast",
  urlTemplate: "/v1/items/*",
  policySha256: "cd".repeat(32),
  policyMode: "enforce",
  startTimeMs: startMs + 10,
};

/** What ended well. */
export const goodEnd = {
  outcome: "response",
  decision: "allow",
  status: 200,
  redirects: 0,
  bytesOut: 0,
  bytesIn: 12,
} as const;

/** A run that ended well. */
export const goodRunEnd = {
  status: "ok",
  allowed: 1,
  denied: 0,
  failed: 0,
  endTimeMs: startMs + 100,
} as const;

/** What leaves for the wire first. */
export const hopFacts = {
  method: "GET",
  destination: destinationOf("https://api.example.com/v1/items/7?token=s3cret"),
  resendCount: 0,
  urlTemplate: "/v1/items/*",
  startTimeMs: startMs + 11,
};

/** A run with a request under way. */
export interface Started {
  readonly at: Recording;
  readonly run: RunSpan;
  readonly request: RequestSpan;
}

/** Starts a run and a request. */
export function startedRequest(facts: Partial<RequestFacts> = {}): Started {
  const at = recording();
  const run = at.tracer.startRun(runFacts);
  return { at, run, request: run.startRequest({ ...requestFacts, ...facts }) };
}

/** Starts a run, a request and its hop. */
export function startedHop(facts: Partial<RequestFacts> = {}): Started & { readonly hop: HopSpan } {
  const started = startedRequest(facts);
  return { ...started, hop: started.request.startHop(hopFacts) };
}

/** The end of a request that was denied at once. */
export function deniedEnd(reason: Reason): RequestEnd {
  return {
    outcome: "denied",
    decision: "deny",
    reason,
    stage: reasonTable[reason].stage,
    redirects: 0,
    bytesOut: 0,
    bytesIn: 0,
  };
}
