// What is written down of a run and of each of its requests: spans, audit records, and a summary for the embedder.
// It must never let a record alter a result, but for one: what cannot be recorded before it is sent is not sent.
import type { Context } from "@opentelemetry/api";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Clock } from "../core/clock.ts";
import { ulid } from "../core/identifier.ts";
import type { AddressRange, Reason, Stage } from "../core/reason.ts";
import { redactText } from "../trace/redact.ts";
import type { RunEnd } from "../trace/span-facts.ts";
import type { Tracer } from "../trace/tracer.ts";
import type { Generation } from "./generation.ts";
import type { GuestRequest } from "./message.ts";
import type { Outcome } from "./record-facts.ts";
import type { RequestRecord } from "./request-record.ts";
import { openRequestRecord } from "./request-record.ts";

export type { RequestRecord } from "./request-record.ts";

/** How a run ended. */
export type RunStatus = RunEnd["status"];

/** Requests of a run that have ended, by what became of them. */
export interface RunTotals {
  readonly allowed: number;
  readonly denied: number;
  readonly failed: number;
}

/** One request when it has ended. For the operator: it says more than the guest may know. */
export interface RequestSummary {
  /** n-th request of the run, from 1. Summaries come in the order of the requests' ends. */
  readonly seq: number;
  readonly method: string;
  /** Redacted. */
  readonly url: string;
  readonly decision: "allow" | "deny" | "would_deny";
  readonly reason?: Reason;
  readonly stage?: Stage;
  readonly rule?: string;
  readonly address?: string;
  readonly range?: AddressRange | "denied_by_rule";
  readonly limit?: { readonly name: string; readonly value: number };
  readonly detail?: string;
  /** The redirect's target that was refused, redacted. */
  readonly deniedUrl?: string;
  /** The response's status, when there was one. */
  readonly status?: number;
  /** Requests on the wire: 0 when nothing was sent. */
  readonly hops: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly durationMs: number;
}

/** What a run's records are about. */
export interface RunFacts {
  readonly guest: string;
  readonly moduleSha256?: string;
  readonly generation: Generation;
  readonly onRequest?: (summary: RequestSummary) => unknown;
  readonly parentContext?: Context;
}

/** The records of one run. */
export interface RunRecord {
  readonly id: string;
  openRequest(asked: GuestRequest, generation: Generation): RequestRecord;
  totals(): RunTotals;
  /** Waits for the requests that are still under way; whoever ends a run aborts them first. */
  end(status: RunStatus): Promise<void>;
}

/** What records stand on. */
export interface RecordParts {
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly tracer: Tracer;
}

/** Opens a run's records. A run whose start cannot be written still runs: each of its requests will be refused. */
export async function openRunRecord(parts: RecordParts, facts: RunFacts): Promise<RunRecord> {
  const { clock, audit, tracer } = parts;
  const { guest, moduleSha256, generation, onRequest } = facts;
  const id = ulid(clock);
  const { policy, policySha256 } = generation;
  const span = tracer.startRun(
    {
      runId: id,
      guestName: guest,
      guestSha256: moduleSha256,
      policySha256,
      policyMode: policy.mode,
      startTimeMs: clock.wallMs(),
    },
    facts.parentContext,
  );
  const totals = { allowed: 0, denied: 0, failed: 0 };
  // Requests whose end record is not written yet: the run ends after them.
  const open = new Set<Promise<void>>();
  let requests = 0;

  await audit.append({
    type: "run.start",
    run: id,
    guest: { name: guest, sha256: moduleSha256 },
    policy_sha256: policySha256,
    mode: policy.mode,
    trace_id: span.traceId,
  });

  function openRequest(asked: GuestRequest, current: Generation): RequestRecord {
    requests += 1;
    const { promise: ended, resolve: settle } = Promise.withResolvers<void>();
    open.add(ended);
    return openRequestRecord({
      parts,
      run: id,
      span,
      seq: requests,
      generation: current,
      method: asked.method,
      url: redactText(asked.url),
      onEnd(summary, outcome, written) {
        totals[totalOf(outcome)] += 1;
        notify(onRequest, summary);
        void written.finally(() => {
          open.delete(ended);
          settle();
        });
      },
    });
  }

  return {
    id,
    openRequest,
    totals: () => ({ ...totals }),
    async end(status) {
      const dangling = open.size;
      await Promise.all(open);
      await audit.append({ type: "run.end", run: id, status, ...totals, dangling });
      span.end({
        status,
        ...totals,
        auditLog: audit.id,
        auditHeadSeq: audit.head(),
        endTimeMs: clock.wallMs(),
      });
    },
  };
}

function totalOf(outcome: Outcome): keyof RunTotals {
  return outcome === "denied" || outcome === "failed" ? outcome : "allowed";
}

// The embedder's callback is the embedder's: its exception must not end other guests' requests, nor the process.
function notify(onRequest: RunFacts["onRequest"], summary: RequestSummary): void {
  if (onRequest === undefined) return;
  const warn = (fault: unknown): void => process.emitWarning(`onRequest failed: ${String(fault)}`);
  // In a job of its own, so that the request that ends here is not held up.
  void Promise.resolve(summary).then(onRequest).catch(warn);
}
