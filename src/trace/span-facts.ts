// What the gate tells the tracer, and the spans that it tells it to. Holds no logic and nothing of OpenTelemetry, so
// that the gate depends on facts and not on a tracing library. What is optional may be undefined: callers pass on what
// they have.

import type { AddressRange, Reason, ReasonKind, Stage } from "../core/reason.ts";
import type { Destination } from "../url/destination.ts";

/** What was decided; `would_deny` went through because the policy only reports. */
export type TracedDecision = "allow" | "deny" | "would_deny";

/** A run when it starts. */
export interface RunFacts {
  readonly runId: string;
  /** The embedder's id of the guest; never a guest's text, since the span is named after it. */
  readonly guestName: string;
  readonly guestSha256?: string | undefined;
  readonly policySha256: string;
  readonly policyMode: "enforce" | "report";
  /** Milliseconds since 1970; default: now. */
  readonly startTimeMs?: number | undefined;
}

/** A run when it ends. */
export interface RunEnd {
  readonly status: "ok" | "trapped" | "deadline" | "aborted";
  readonly allowed: number;
  readonly denied: number;
  readonly failed: number;
  /** Id of the audit log; absent or empty when there is none. */
  readonly auditLog?: string | undefined;
  /** The log's last record at this moment: what ties the log to the trace store. */
  readonly auditHeadSeq?: number | undefined;
  readonly endTimeMs?: number | undefined;
}

/** One guest's run. Its requests end no later than it does. */
export interface RunSpan {
  /** 32 hex digits; absent when nobody traces. */
  readonly traceId?: string | undefined;
  /** Call it when the request has been judged: samplers see the decision. */
  startRequest(facts: RequestFacts): RequestSpan;
  /** Ends the run and, as `guest_terminated`, every request still open. Only the first call counts. */
  end(end: RunEnd): void;
}

/** A guest's request after its judgement. */
export interface RequestFacts {
  readonly runId: string;
  readonly requestId: string;
  /** n-th request of the run. */
  readonly seq: number;
  /** As the guest wrote it. */
  readonly method: string;
  /** Redacted; default: that of the destination. */
  readonly url?: string | undefined;
  /** Absent when the URL did not parse. */
  readonly destination?: Destination | undefined;
  readonly decision: TracedDecision;
  readonly reason?: Reason | undefined;
  readonly stage?: Stage | undefined;
  readonly rule?: string | undefined;
  readonly range?: AddressRange | "denied_by_rule" | undefined;
  /** The path pattern of the rule that matched. */
  readonly urlTemplate?: string | undefined;
  readonly policySha256: string;
  readonly policyMode: "enforce" | "report";
  /** Milliseconds since 1970. */
  readonly startTimeMs: number;
  /** Headers of trace context that were dropped. */
  readonly strippedHeaders?: number | undefined;
  readonly policyMs?: number | undefined;
  readonly queueMs?: number | undefined;
}

/** A guest's request when its response is closed, or when it was refused. */
export interface RequestEnd {
  readonly outcome: "response" | "denied" | "failed" | "cancelled";
  readonly decision: TracedDecision;
  readonly reason?: Reason | undefined;
  readonly stage?: Stage | undefined;
  readonly rule?: string | undefined;
  readonly range?: AddressRange | "denied_by_rule" | undefined;
  /** Status of the response that the guest was given. */
  readonly status?: number | undefined;
  readonly redirects: number;
  /** The refused target of a redirect, redacted. */
  readonly deniedUrl?: string | undefined;
  /** Body bytes sent for the guest. */
  readonly bytesOut: number;
  /** Body bytes given to the guest. */
  readonly bytesIn: number;
  /** Seq of the decision in the audit log. */
  readonly auditSeq?: number | undefined;
  readonly limit?:
    | {
        readonly name: string;
        readonly value: number;
        readonly observed?: number | undefined;
        readonly retryAfterMs?: number | undefined;
      }
    | undefined;
  readonly endTimeMs?: number | undefined;
}

/** One request of a guest, denied ones too. */
export interface RequestSpan {
  /** 32 hex digits; absent when nobody traces. */
  readonly traceId?: string | undefined;
  /** 16 hex digits; absent when nobody traces. */
  readonly spanId?: string | undefined;
  /** For what leaves for DNS or the network; a denial of the policy has no hop. */
  startHop(facts: HopFacts): HopSpan;
  /** Ends the request and a hop still open. Only the first call counts. */
  end(end: RequestEnd): void;
}

/** One request on the wire when it is about to leave. */
export interface HopFacts {
  readonly method: string;
  readonly destination: Destination;
  /** 0 for the first hop. */
  readonly resendCount: number;
  /** The path pattern of the rule that matched. */
  readonly urlTemplate?: string | undefined;
  /** Default: the request's own. */
  readonly decision?: TracedDecision | undefined;
  /** Default: the request's own. */
  readonly rule?: string | undefined;
  /** Milliseconds since 1970. */
  readonly startTimeMs: number;
}

/** A connection that a hop got. Durations in milliseconds. */
export interface ConnectionFacts {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly dnsMs?: number | undefined;
  readonly answers?: readonly string[] | undefined;
  readonly connectMs?: number | undefined;
  readonly tlsMs?: number | undefined;
  /** As Node names it (`TLSv1.3`), or the number alone. */
  readonly tlsVersion?: string | undefined;
  /** Whether it was open before. */
  readonly reused: boolean;
}

/** A hop when the response's headers are there, or when it failed. */
export interface HopEnd {
  readonly status?: number | undefined;
  readonly reason?: Reason | undefined;
  readonly stage?: Stage | undefined;
  /** Default: the reason's own. */
  readonly kind?: ReasonKind | undefined;
  readonly range?: AddressRange | "denied_by_rule" | undefined;
  readonly ttfbMs?: number | undefined;
  /** Node's code of a TLS failure. */
  readonly tlsErrorCode?: string | undefined;
  readonly endTimeMs?: number | undefined;
}

/** One request on the wire. */
export interface HopSpan {
  /** The W3C header for the server, or undefined when nobody traces. Never carries baggage. */
  traceparent(): string | undefined;
  connected(facts: ConnectionFacts): void;
  /** Only the first call counts. */
  end(end: HopEnd): void;
}
