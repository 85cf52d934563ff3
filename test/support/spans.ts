// A tracer provider that keeps its spans in memory, for tests and for the demo.
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

/** A provider and what came out of it. */
export interface SpanSink {
  readonly provider: TracerProvider;
  /** Every span that has ended, in the order of their ends. */
  spans(): Promise<readonly ReadableSpan[]>;
}

/** Opens a provider that nobody registered. */
export function openSpanSink(): SpanSink {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return {
    provider,
    async spans() {
      await provider.forceFlush();
      return exporter.getFinishedSpans();
    },
  };
}
