// The records of one guest request: exactly one request span, one decision record for each hop, one end record.
// It must never end a request twice, nor hold a secret: URLs are redacted, header values are not looked at.

import { bounds } from "../core/bounds.ts";
import { ulid } from "../core/identifier.ts";
import { redactUrl } from "../trace/redact.ts";
import type { RequestFacts, RequestSpan, RunSpan } from "../trace/span-facts.ts";
import type { Generation } from "./generation.ts";
import type { HopRecord } from "./hop-record.ts";
import { openHopRecord } from "./hop-record.ts";
import type { Judgement, Passed } from "./judge.ts";
import type { Denial } from "./message.ts";
import type { RecordParts, RequestSummary } from "./record.ts";
import { type Outcome, outcomeOf, ruleOf, templateOf } from "./record-facts.ts";
import { bodyLength } from "./request-stream.ts";

/** The records of one request. */
export interface RequestRecord {
  /** The redacted URL of the hop that is under way. */
  readonly url: string;
  /** Writes that a name is about to be looked up; `false` when it cannot be written. */
  lookup(judgement: Passed, hop: number): Promise<boolean>;
  /** Writes the decision on a hop; `false` when it cannot be written. */
  decided(judgement: Judgement, hop: number, found: Found): Promise<boolean>;
  /** Starts the span of a hop that leaves. */
  openHop(judgement: Passed, hop: number): HopRecord;
  /** Notes the status that the guest is given. */
  answered(status: number): void;
  /** Counts bytes of a streamed body that are sent. */
  sent(bytes: number): void;
  /** Counts body bytes that the guest is given. */
  received(bytes: number): void;
  /** Ends the records; only the first call counts. */
  end(denial?: Denial): Promise<void>;
}

/** What was found about a hop beyond its judgement. */
export interface Found {
  readonly denial?: Denial;
  /** Where its name leads. */
  readonly addresses?: readonly string[];
}

/** What the records of one request are about. */
export interface RequestRecordOptions {
  readonly parts: RecordParts;
  readonly run: string;
  readonly span: RunSpan;
  /** n-th request of the run. */
  readonly seq: number;
  readonly generation: Generation;
  readonly method: string;
  /** The redacted text of the URL, until it is parsed. */
  readonly url: string;
  readonly onEnd: (summary: RequestSummary, outcome: Outcome, written: Promise<void>) => void;
}

type TracedDecision = RequestSummary["decision"];

/** Opens the records of one request. Nothing is written before the decision. */
export function openRequestRecord(options: RequestRecordOptions): RequestRecord {
  const { parts, generation, run, seq } = options;
  const { clock, audit } = parts;
  const id = ulid(clock);
  const startMs = clock.monotonicMs();
  const startTimeMs = clock.wallMs();
  const method = options.method.slice(0, bounds.methodLengthMax);
  // What was asked for, and where the last hop went.
  let url = options.url;
  let lastUrl = options.url;
  let deniedUrl: string | undefined;
  let request: RequestSpan | undefined;
  let decision: TracedDecision = "deny";
  let wouldDeny: Denial | undefined;
  let rule: string | undefined;
  let status: number | undefined;
  let auditSeq: number | undefined;
  let hops = 0;
  let redirects = 0;
  let bytesOut = 0;
  let bytesIn = 0;
  let judged = false;
  let answered = false;
  let ended = false;

  function startSpan(facts: Partial<RequestFacts>): RequestSpan {
    const { policySha256, policy } = generation;
    return options.span.startRequest({
      runId: run,
      requestId: id,
      seq,
      method: options.method,
      url,
      decision,
      policySha256,
      policyMode: policy.mode,
      startTimeMs,
      ...facts,
    });
  }

  async function lookup(judgement: Passed, hop: number): Promise<boolean> {
    const { destination, method: asked } = judgement.hop;
    const written = await audit.append({
      type: "request.lookup",
      run,
      req: id,
      hop,
      host: destination.hostText,
      method: asked,
      url: redactUrl(destination),
      rule: ruleOf(judgement),
    });
    return written.ok;
  }

  async function decided(judgement: Judgement, hop: number, found: Found): Promise<boolean> {
    judged = true;
    const denial = found.denial ?? (judgement.effect === "deny" ? judgement.denial : undefined);
    const destination = judgement.effect === "deny" ? judgement.destination : judgement.hop.destination;
    const shown = destination === undefined ? url : redactUrl(destination);
    if (hop === 0) url = shown;
    else if (denial !== undefined && destination !== undefined) deniedUrl = shown;
    lastUrl = shown;
    decision = denial !== undefined ? "deny" : judgement.effect;
    if (decision === "would_deny" && judgement.effect === "would_deny") wouldDeny = judgement.denial;
    rule = denial?.rule ?? ruleOf(judgement);
    redirects = hop;
    const told = denial ?? wouldDeny;
    const facts = {
      destination,
      reason: told?.reason,
      stage: told?.stage,
      rule: rule ?? told?.rule,
      range: told?.range,
      urlTemplate: templateOf(judgement),
      strippedHeaders: judgement.effect === "deny" ? undefined : judgement.stripped.length,
    };
    request ??= startSpan(facts);
    const written = await audit.append({
      type: "request.decision",
      run,
      req: id,
      n: seq,
      hop,
      method: (judgement.effect === "deny" ? judgement.method : judgement.hop.method) ?? method,
      url: shown,
      scheme: destination?.scheme,
      host: destination?.hostText,
      port: destination?.port,
      path: destination?.path,
      headers: judgement.effect === "deny" ? undefined : judgement.hop.headers.map(([name]) => name),
      stripped: judgement.effect === "deny" ? undefined : judgement.stripped,
      body_bytes: judgement.effect === "deny" ? undefined : (bodyLength(judgement.hop.body) ?? null),
      decision,
      reason: facts.reason,
      stage: facts.stage,
      rule: facts.rule,
      range: facts.range,
      addresses: denial?.address === undefined ? found.addresses : [denial.address],
      limit: told?.limit,
      policy_sha256: generation.policySha256,
      mode: generation.policy.mode,
      trace_id: request.traceId,
      span_id: request.spanId,
    });
    // Without a log there is nothing that the number would lead to.
    if (written.ok && audit.id !== "") auditSeq = written.value;
    return written.ok;
  }

  function openHop(judgement: Passed, hop: number): HopRecord {
    const span = request?.startHop({
      method: judgement.hop.method,
      destination: judgement.hop.destination,
      resendCount: hop,
      urlTemplate: templateOf(judgement),
      decision: judgement.effect,
      rule,
      startTimeMs: clock.wallMs(),
    });
    return openHopRecord(clock, span, () => {
      hops += 1;
      bytesOut += bodyLength(judgement.hop.body) ?? 0;
    });
  }

  async function end(denial?: Denial): Promise<void> {
    if (ended) return;
    ended = true;
    // INVARIANT (one decision): what broke before it was judged was denied, and the log says so.
    if (!judged && denial !== undefined) await decided({ effect: "deny", denial }, 0, { denial });
    const outcome = outcomeOf(denial, answered);
    if (outcome === "denied") decision = "deny";
    const told = denial ?? wouldDeny;
    request ??= startSpan({ reason: told?.reason, stage: told?.stage });
    const durationMs = clock.monotonicMs() - startMs;
    const { reason, stage, range, limit } = told ?? {};
    request.end({
      outcome,
      decision,
      reason,
      stage,
      rule: told?.rule ?? rule,
      range,
      status,
      redirects,
      deniedUrl,
      bytesOut,
      bytesIn,
      auditSeq,
      limit,
      endTimeMs: clock.wallMs(),
    });
    const written = audit.append({
      type: "request.end",
      run,
      req: id,
      hops,
      outcome,
      reason,
      stage,
      status,
      bytes_out: bytesOut,
      bytes_in: bytesIn,
      duration_ms: Math.round(durationMs * 1000) / 1000,
      decision_seq: auditSeq,
    });
    const settled = written.then(() => undefined);
    options.onEnd(summary(told, durationMs), outcome, settled);
    await settled;
  }

  function summary(ended: Denial | undefined, durationMs: number): RequestSummary {
    // What the rules would have said stays the reason of a `would_deny`; what became of the request is its detail.
    const kept = decision === "would_deny" ? wouldDeny : undefined;
    const told = kept ?? ended;
    const { reason, stage, address, range, limit } = told ?? {};
    const failure = kept !== undefined && ended !== kept ? ended?.reason : undefined;
    const detail = failure === undefined ? told?.detail : `let through, and then ${failure}`;
    const known = {
      reason,
      stage,
      rule: told?.rule ?? rule,
      address,
      range,
      limit,
      detail,
      deniedUrl,
      status,
    };
    const present = Object.entries(known).filter(([, value]) => value !== undefined);
    return {
      seq,
      method,
      url,
      decision,
      ...Object.fromEntries(present),
      hops,
      bytesOut,
      bytesIn,
      durationMs,
    };
  }

  return {
    get url() {
      return lastUrl;
    },
    lookup,
    decided,
    openHop,
    answered(next) {
      status = next;
      answered = true;
    },
    sent(bytes) {
      bytesOut += bytes;
    },
    received(bytes) {
      bytesIn += bytes;
    },
    end,
  };
}
