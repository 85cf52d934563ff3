// The records of the audit log: their kinds, their fields, and how one becomes a line. The words are the file's format:
// fields are added, never renamed. Never a place for a secret: URLs arrive redacted, headers as names only.

import { bounds } from "../core/bounds.ts";
import type { AddressRange, Reason, Stage } from "../core/reason.ts";
import { recordText } from "../core/record-text.ts";

/** What was decided; `would_deny` went through because the policy only reports. */
export type AuditedDecision = "allow" | "deny" | "would_deny";

/** A log begins. Written by the log itself. */
export interface LogOpen {
  readonly type: "log.open";
  /** n-th file of this log, from 0. */
  readonly segment: number;
  readonly previous: null;
  readonly host: string | null;
  readonly pid: number;
  readonly version: string | null;
  readonly node: string;
  /** `write`: a record that was acknowledged survives the death of the process, not of the machine. */
  readonly durability: "write";
  /** `deny`: what cannot be recorded is not done. */
  readonly on_error: "deny";
}

/** A log ends in good order. Written by the log itself. */
export interface LogClose {
  readonly type: "log.close";
  readonly next: null;
  /** Records of the log before this one. */
  readonly records: number;
}

/** Records were lost here, all of them refused to whoever wrote them. Written by the log itself. */
export interface LogGap {
  readonly type: "log.gap";
  readonly lost: number;
  /** When the first one was lost. */
  readonly since: string;
  /** The operating system's code, such as ENOSPC, or `queue_full`. */
  readonly cause: string;
}

/** A policy came into force. */
export interface PolicyLoad {
  readonly type: "policy.load";
  readonly policy_sha256: string;
  readonly name: string;
  /** How many. */
  readonly rules: number;
  readonly mode: "enforce" | "report";
}

/** A guest starts to run. */
export interface RunStart {
  readonly type: "run.start";
  readonly run: string;
  readonly guest: { readonly name: string; readonly sha256?: string | undefined };
  readonly policy_sha256: string;
  readonly mode: "enforce" | "report";
  /** The embedder's own labels, such as tenant and user. */
  readonly subject?: Readonly<Record<string, string>> | undefined;
  readonly trace_id?: string | undefined;
}

/** A guest's run is over. */
export interface RunEnded {
  readonly type: "run.end";
  readonly run: string;
  readonly status: "ok" | "trapped" | "deadline" | "aborted";
  readonly allowed: number;
  readonly denied: number;
  readonly failed: number;
  /** Requests that the end of the run cut off. */
  readonly dangling?: number | undefined;
}

/** A name is about to be resolved: its name server learns of it, so this stands before it happens. */
export interface RequestLookup {
  readonly type: "request.lookup";
  readonly run: string;
  readonly req: string;
  readonly hop: number;
  readonly host: string;
  /** What the look-up is for, as far as it is decided; the decision itself follows when the answer has been vetted. */
  readonly method: string;
  /** Redacted. */
  readonly url: string;
  /** The rule that allows the name; absent where only report mode lets it pass. */
  readonly rule?: string | undefined;
}

/** What was decided about a request or a redirect of it; stands before anything is sent and before a denial returns. */
export interface RequestDecision {
  readonly type: "request.decision";
  readonly run: string;
  readonly req: string;
  /** n-th request of the run. */
  readonly n: number;
  /** 0 for the guest's own request, then one more for each redirect. */
  readonly hop: number;
  readonly method: string;
  /** Redacted. */
  readonly url: string;
  readonly scheme?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  /** Names of the headers that go out. */
  readonly headers?: readonly string[] | undefined;
  /** Names of the headers that were dropped. */
  readonly stripped?: readonly string[] | undefined;
  /** Bytes; null when there is no body. */
  readonly body_bytes?: number | null | undefined;
  readonly decision: AuditedDecision;
  readonly reason?: Reason | undefined;
  readonly stage?: Stage | undefined;
  readonly rule?: string | undefined;
  readonly policy_sha256: string;
  readonly mode: "enforce" | "report";
  /** Where the name led, as far as it was known. */
  readonly addresses?: readonly string[] | undefined;
  readonly range?: AddressRange | "denied_by_rule" | undefined;
  readonly limit?:
    | { readonly name: string; readonly value: number; readonly observed?: number | undefined }
    | undefined;
  readonly trace_id?: string | undefined;
  readonly span_id?: string | undefined;
}

/** A request is over. */
export interface RequestEnded {
  readonly type: "request.end";
  readonly run: string;
  readonly req: string;
  /** Requests on the wire. */
  readonly hops: number;
  readonly outcome: "response" | "denied" | "failed" | "cancelled";
  readonly reason?: Reason | undefined;
  readonly stage?: Stage | undefined;
  readonly status?: number | undefined;
  readonly bytes_out: number;
  readonly bytes_in: number;
  readonly duration_ms: number;
  /** Seq of the request's last decision. */
  readonly decision_seq?: number | undefined;
}

/** What the product writes to a log. */
export type AuditRecord = PolicyLoad | RunStart | RunEnded | RequestLookup | RequestDecision | RequestEnded;

/** What a log consists of. */
export type LoggedRecord = AuditRecord | LogOpen | LogClose | LogGap;

/** What the log puts in front of every record. */
export interface Envelope {
  /** ULID of the log. */
  readonly log: string;
  /** From 0, without gaps. */
  readonly seq: number;
  /** Milliseconds since 1970; the host's clock, which says nothing about order. */
  readonly timeMs: number;
}

/** Version of the format: `v` of every record. */
const auditFormatVersion = 1;

/** The fields of every kind in the order of the line, behind `v`, `log`, `seq`, `ts` and `type`. */
export const recordFields: { readonly [Kind in LoggedRecord["type"]]: readonly FieldOf<Kind>[] } = {
  "log.open": ["segment", "previous", "host", "pid", "version", "node", "durability", "on_error"],
  "log.close": ["next", "records"],
  "log.gap": ["lost", "since", "cause"],
  "policy.load": ["policy_sha256", "name", "rules", "mode"],
  "run.start": ["run", "guest", "policy_sha256", "mode", "subject", "trace_id"],
  "run.end": ["run", "status", "allowed", "denied", "failed", "dangling"],
  "request.lookup": ["run", "req", "hop", "host", "method", "url", "rule"],
  "request.decision": [
    "run",
    "req",
    "n",
    "hop",
    "method",
    "url",
    "scheme",
    "host",
    "port",
    "path",
    "headers",
    "stripped",
    "body_bytes",
    "decision",
    "reason",
    "stage",
    "rule",
    "policy_sha256",
    "mode",
    "addresses",
    "range",
    "limit",
    "trace_id",
    "span_id",
  ],
  "request.end": [
    "run",
    "req",
    "hops",
    "outcome",
    "reason",
    "stage",
    "status",
    "bytes_out",
    "bytes_in",
    "duration_ms",
    "decision_seq",
  ],
};

type FieldOf<Kind extends LoggedRecord["type"]> = Exclude<
  keyof Extract<LoggedRecord, { readonly type: Kind }>,
  "type"
>;

/**
 * One record as one line of JSON, with its line break. INVARIANT (key order): the same fields stand in the same order in
 * every line, whoever built the record; a chain over the bytes, `prev` and `hash`, has its place behind the last.
 */
export function recordLine(envelope: Envelope, record: LoggedRecord): string {
  const line: Record<string, unknown> = {
    v: auditFormatVersion,
    log: envelope.log,
    seq: envelope.seq,
    ts: timestamp(envelope.timeMs),
    type: record.type,
  };
  const fields: Readonly<Record<string, unknown>> = { ...record };
  for (const field of recordFields[record.type])
    line[field] = boundValue(fields[field], bounds.recordTextMax);
  return `${JSON.stringify(line)}\n`;
}

// The last time that a Date can hold (ECMA-262, Time Values); beyond it toISOString throws.
const timeMsMax = 8.64e15;

/** RFC 3339 in UTC with milliseconds. Total: a clock that is out of its mind costs no record. */
export function timestamp(timeMs: number): string {
  return new Date(Math.abs(timeMs) <= timeMsMax ? timeMs : 0).toISOString();
}

// INVARIANT (bounded records): every text and list of every record passes here, so that no guest makes a line long,
// breaks it, or steers the terminal of whoever reads the file.
function boundValue(value: unknown, textMax: number): unknown {
  if (typeof value === "string") return recordText(value, textMax);
  if (Array.isArray(value)) {
    const listed = value.slice(0, bounds.recordedListMax);
    return listed.map((entry) => boundValue(entry, bounds.recordedListTextMax));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).slice(0, bounds.recordedListMax);
    return Object.fromEntries(
      entries.map(([name, entry]) => [
        recordText(name, bounds.recordedListTextMax),
        boundValue(entry, bounds.recordedListTextMax),
      ]),
    );
  }
  return value;
}
