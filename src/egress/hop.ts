// One hop on the wire: admit it, find where it leads, send it.
// It must never dial an address that was not vetted for this very hop's rule.

import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { RedirectChoice, ResolvedLimits } from "../policy/policy.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { admitHop } from "./admission.ts";
import type { Connection, HopResponse } from "./connection.ts";
import { denialOf } from "./denial.ts";
import type { Generation } from "./generation.ts";
import type { Passed } from "./judge.ts";
import type { LimitFault, Permit } from "./limiter.ts";
import type { Denial, RequestBody } from "./message.ts";
import type { RequestRecord } from "./record.ts";
import type { RequestScope } from "./request-scope.ts";
import { bodyLength, metered } from "./request-stream.ts";
import type { Resolved, Resolver } from "./resolve.ts";
import { resolveDestination } from "./resolve.ts";

/** What every hop stands on. */
export interface HopParts {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly isSelf: (ip: IpAddress) => boolean;
  /** How long a request may wait for a rate or a permit; `0`: it fails at once. */
  readonly limitWaitMs: number;
}

/** Where one guest request stands between its hops. */
export interface Turn {
  readonly generation: Generation;
  readonly record: RequestRecord;
  readonly scope: RequestScope;
  /** Hops made so far. */
  redirects: number;
  permit: Permit | undefined;
}

/** A connection that is ready, or the addresses to dial. */
export interface Prepared {
  readonly key: string;
  readonly idle?: Connection;
  readonly resolved?: Resolved;
}

/** The settings that a judgement brings: the rule's own, or the guest's where only report mode lets it pass. */
export function settingsOf(
  judgement: Passed,
  generation: Generation,
): {
  readonly ruleId: string;
  readonly limits: ResolvedLimits;
  /** What holds for one request: the tighter of the rule's and the guest's. */
  readonly caps: Pick<ResolvedLimits, "requestBodyBytes" | "responseBodyBytes" | "timeoutMs">;
  readonly redirects: RedirectChoice | undefined;
  readonly traceparent: boolean;
} {
  const { decision } = judgement;
  const guest = generation.policy.limits;
  if (decision.effect === "deny") {
    return { ruleId: "", limits: guest, caps: guest, redirects: undefined, traceparent: false };
  }
  const { rule, limits, redirects, traceparent } = decision;
  const caps = {
    requestBodyBytes: Math.min(limits.requestBodyBytes, guest.requestBodyBytes),
    responseBodyBytes: Math.min(limits.responseBodyBytes, guest.responseBodyBytes),
    timeoutMs: Math.min(limits.timeoutMs, guest.timeoutMs),
  };
  return { ruleId: rule.id, limits, caps, redirects, traceparent };
}

/** Holds a hop to its limits; returns why it may not go. Nothing has left by then. */
export async function admitTurn(parts: HopParts, turn: Turn, judgement: Passed): Promise<Denial | undefined> {
  const { limiter } = turn.generation;
  const { ruleId, limits, caps } = settingsOf(judgement, turn.generation);
  const { body } = judgement.hop;
  turn.scope.tighten(caps.timeoutMs);

  // A body that is streamed is counted while it is sent.
  const bodyBytes = bodyLength(body) ?? 0;
  if (bodyBytes > caps.requestBodyBytes) return bodyTooLarge(caps.requestBodyBytes, ruleId);
  const admitted = await admitHop(limiter, {
    ruleId,
    limits,
    held: turn.permit,
    waitMsMax: parts.limitWaitMs,
    clock: parts.clock,
    signal: turn.scope.signal,
  });
  if (!admitted.ok) return limitDenial(admitted.error, ruleId);
  turn.permit = admitted.value;
  const spent = limiter.spendOut(ruleId, limits, bodyBytes);
  if (!spent.ok) return limitDenial(spent.error, ruleId);
  return turn.scope.denial();
}

/** Finds a connection or vetted addresses for a hop. */
export async function prepareHop(
  parts: HopParts,
  turn: Turn,
  judgement: Passed,
): Promise<Result<Prepared, Denial>> {
  const { limiter, pool } = turn.generation;
  const { ruleId } = settingsOf(judgement, turn.generation);
  const { destination } = judgement.hop;
  // Grants differ between rules: a connection is reused only where its address would be granted again.
  const key = `${destination.origin} ${judgement.grants.key}`;
  const idle = pool.take(key);
  if (idle !== undefined) return ok({ key, idle });

  if (destination.host.kind === "name") {
    const name = limiter.admitName(destination.host.name);
    if (!name.ok) return err(limitDenial(name.error, ruleId));
    // A name server sees the name, so that, too, is written down before it happens.
    if (!(await turn.record.lookup(judgement, turn.redirects))) return err(denialOf("audit_unavailable"));
  }
  const resolved = await resolveDestination(destination, {
    resolver: parts.resolver,
    addressPolicy: judgement.grants,
    clock: parts.clock,
    signal: turn.scope.signal,
    isSelf: parts.isSelf,
  });
  if (resolved.ok) return ok({ key, resolved: resolved.value });
  return err(withRule(resolved.error, ruleId));
}

/** Sends a prepared and recorded hop; `prepared` may be the failure of its look-up, which belongs on the hop's span. */
export async function sendHop(
  parts: HopParts,
  turn: Turn,
  judgement: Passed,
  prepared: Result<Prepared, Denial>,
): Promise<Result<HopResponse, Denial>> {
  const { pool } = turn.generation;
  const { ruleId, caps, traceparent } = settingsOf(judgement, turn.generation);
  const { signal } = turn.scope;
  const { hop } = judgement;
  const onWire = turn.record.openHop(judgement, turn.redirects);
  const fail = (denial: Denial): Result<never, Denial> => {
    onWire.end({ denial });
    return err(withRule(denial, ruleId));
  };

  if (!prepared.ok) return fail(prepared.error);
  const { key, idle, resolved } = prepared.value;
  const opened =
    idle === undefined
      ? await pool.open(key, hop.destination, resolved?.addresses ?? [], { signal })
      : ok(idle);
  if (!opened.ok) return fail(opened.error);
  onWire.connected(opened.value, resolved);

  const parent = traceparent ? onWire.traceparent() : undefined;
  const sent = await onWire.suppressed(() =>
    opened.value.send(
      {
        method: hop.method,
        destination: hop.destination,
        headers: parent === undefined ? hop.headers : [...hop.headers, ["traceparent", parent]],
        body: meteredBody(turn, judgement),
      },
      {
        clock: parts.clock,
        signal,
        responseBodyBytesMax: caps.responseBodyBytes,
      },
    ),
  );
  if (!sent.ok) return fail(sent.error);
  onWire.end({ status: sent.value.status });
  return sent;
}

function meteredBody(turn: Turn, judgement: Passed): RequestBody | undefined {
  const { body } = judgement.hop;
  if (body === undefined || body instanceof Uint8Array) return body;
  const { limiter } = turn.generation;
  const { ruleId, limits, caps } = settingsOf(judgement, turn.generation);
  let bytes = 0;
  const spend = (more: number): Result<void, Denial> => {
    bytes += more;
    if (bytes > caps.requestBodyBytes) return err(bodyTooLarge(caps.requestBodyBytes, ruleId));
    const spent = limiter.spendOut(ruleId, limits, more);
    if (!spent.ok) return err(limitDenial(spent.error, ruleId));
    turn.record.sent(more);
    return ok(undefined);
  };
  return metered(body, spend, (denial) => turn.scope.abort(denial));
}

function bodyTooLarge(bytesMax: number, ruleId: string): Denial {
  const limit = { name: "requestBody", value: bytesMax };
  return withRule({ ...denialOf("request_body_too_large"), limit }, ruleId);
}

/** Turns a met limit into a denial. */
export function limitDenial(fault: LimitFault, ruleId: string): Denial {
  return withRule({ ...denialOf(fault.reason), limit: { name: fault.limit, value: fault.value } }, ruleId);
}

/** Names the rule under which something failed, where no other rule is named yet. */
export function withRule(denial: Denial, ruleId: string): Denial {
  return ruleId === "" || denial.rule !== undefined ? denial : { ...denial, rule: ruleId };
}
