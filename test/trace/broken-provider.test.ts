// Whatever an embedder's tracing does, a run goes on as if there were none.
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  type TracerProvider,
} from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import { openTracer, suppressTracing } from "../../src/trace/tracer.ts";
import { goodEnd, goodRunEnd, recording, requestFacts, runFacts } from "./recording.ts";

const boom = (): never => {
  throw new Error("the provider is broken");
};
const throwsAlways: unknown = new Proxy({}, { get: () => boom });
const throwsOnAccess: unknown = new Proxy({}, { get: boom });
const tracerThat = (startSpan: () => unknown): unknown => ({ getTracer: () => ({ startSpan }) });

const brokenProviders: readonly [string, unknown][] = [
  ["getTracer throws", { getTracer: boom }],
  ["getTracer gives nothing", { getTracer: () => undefined }],
  ["there is no getTracer", {}],
  ["startSpan throws", tracerThat(boom)],
  ["startSpan gives nothing", tracerThat(() => undefined)],
  ["startSpan gives a number", tracerThat(() => 7)],
  ["startSpan gives an empty object", tracerThat(() => ({}))],
  ["every method of a span throws", tracerThat(() => throwsAlways)],
  ["every access to a span throws", tracerThat(() => throwsOnAccess)],
  [
    "spans have no valid context",
    tracerThat(() => ({ spanContext: () => ({ traceId: 1, spanId: null }), isRecording: () => true })),
  ],
];

describe("a broken provider", () => {
  test.each(brokenProviders)("when %s the run goes on untraced", (_name, provider) => {
    const run = openTracer(provider as TracerProvider).startRun(runFacts);
    const request = run.startRequest(requestFacts);
    const { destination = expect.fail("a destination") } = requestFacts;
    const hop = request.startHop({ method: "GET", destination, resendCount: 0, startTimeMs: 0 });
    hop.connected({ peerAddress: "1.2.3.4", peerPort: 443, reused: false });
    expect(hop.traceparent()).toBeUndefined();
    hop.end({ reason: "connection_reset" });
    request.end({ ...goodEnd, outcome: "denied", decision: "deny", reason: "rate_limited" });
    run.end({ ...goodRunEnd, status: "trapped" });
    expect(suppressTracing(() => "sent")).toBe("sent");
  });

  test("a processor that throws at the end of a span does not disturb the run", () => {
    const at = recording();
    const tracer = at.provider.getTracer("x");
    const spans: unknown[] = [];
    const provider = {
      getTracer: () => ({
        startSpan: (...given: Parameters<typeof tracer.startSpan>) => {
          const span = tracer.startSpan(...given);
          spans.push(span);
          return Object.assign(span, { end: boom });
        },
      }),
    };
    const run = openTracer(provider as unknown as TracerProvider).startRun(runFacts);
    run.startRequest(requestFacts).end(goodEnd);
    run.end(goodRunEnd);
    expect(spans).toHaveLength(2);
  });
});

// What embedders register: the SDK's own manager is a package that only they need.
function asyncContextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  return {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, action, self, ...given) => storage.run(active, () => action.apply(self as never, given)),
    bind: (_active, target) => target,
    enable: () => asyncContextManager(),
    disable: () => asyncContextManager(),
  };
}

describe("suppressTracing", () => {
  afterEach(() => context.disable());

  test("within it an embedder's own tracer records nothing, also after an await, and outside it does", async () => {
    context.setGlobalContextManager(asyncContextManager());
    const at = recording();
    const embedder = at.provider.getTracer("instrumentation");
    await suppressTracing(async () => {
      embedder.startSpan("at once").end();
      await new Promise((resolve) => setImmediate(resolve));
      embedder.startSpan("later").end();
    });
    embedder.startSpan("outside").end();
    expect(at.spans().map(({ name }) => name)).toEqual(["outside"]);
  });

  test("it gives what the action gives and throws what it throws", () => {
    expect(suppressTracing(() => 42)).toBe(42);
    expect(() => suppressTracing(boom)).toThrow("the provider is broken");
  });

  const managers: readonly [string, Partial<ContextManager>][] = [
    ["active throws", { active: boom }],
    ["active gives nothing", { active: () => undefined as never }],
    ["with throws before the call", { with: boom }],
    ["with does not call", { with: () => undefined as never }],
    [
      "with calls twice and throws",
      {
        with: (_active, action, self, ...given) => {
          action.apply(self as never, given);
          action.apply(self as never, given);
          return boom();
        },
      },
    ],
  ];
  test.each(managers)("when a context manager's %s the action runs exactly once", (_name, broken) => {
    context.setGlobalContextManager({ ...asyncContextManager(), ...broken });
    let calls = 0;
    const action = (): number => {
      calls += 1;
      return calls;
    };
    expect(suppressTracing(action)).toBe(1);
    expect(calls).toBe(1);
    openTracer(recording().provider).startRun(runFacts).end(goodRunEnd);
  });
});
