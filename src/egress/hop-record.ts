// The span of one hop on the wire. The audit log has the hop's decision; this tells how it went.
// It must never hold a request up, nor add anything to it but what a rule asks for.
import type { Clock } from "../core/clock.ts";
import type { HopSpan } from "../trace/span-facts.ts";
import { suppressTracing } from "../trace/tracer.ts";
import type { Connection } from "./connection.ts";
import type { Denial } from "./message.ts";
import type { Resolved } from "./resolve.ts";

/** The records of one hop. */
export interface HopRecord {
  /** `resolved`: what was looked up for this hop; absent when it got a connection that was open. */
  connected(connection: Connection, resolved: Resolved | undefined): void;
  /** Runs `action` where no instrumentation of the embedder adds to what is sent. */
  suppressed<Value>(action: () => Value): Value;
  /** The hop's own trace context; `undefined` when nobody traces. */
  traceparent(): string | undefined;
  end(end: { readonly status: number } | { readonly denial: Denial }): void;
}

/** Opens the records of a hop that is about to leave. `onConnected`: it has somebody to send to. */
export function openHopRecord(clock: Clock, span: HopSpan | undefined, onConnected: () => void): HopRecord {
  const startMs = clock.monotonicMs();
  return {
    connected(connection, resolved) {
      onConnected();
      const reused = resolved === undefined;
      span?.connected({
        peerAddress: connection.peerAddress,
        peerPort: connection.peerPort,
        dnsMs: resolved?.dnsMs,
        answers: resolved?.answers,
        connectMs: reused ? undefined : connection.connectMs,
        tlsMs: reused ? undefined : connection.tlsMs,
        tlsVersion: connection.tlsVersion,
        reused,
      });
    },
    suppressed: suppressTracing,
    traceparent: () => span?.traceparent(),
    end(end) {
      const endTimeMs = clock.wallMs();
      if ("denial" in end) {
        const { reason, stage, kind, range } = end.denial;
        span?.end({ reason, stage, kind, range, endTimeMs });
      } else {
        span?.end({ status: end.status, ttfbMs: clock.monotonicMs() - startMs, endTimeMs });
      }
    },
  };
}
