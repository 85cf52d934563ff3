// The enforcement point: the only way from a guest to the network. Whoever has read `pass` has read the product.
// It must never send what was not decided, admitted, vetted and recorded before, in this order.

import { bounds } from "../core/bounds.ts";
import type { Result } from "../core/result.ts";
import type { RedirectChoice } from "../policy/policy.ts";
import { denialOf } from "./denial.ts";
import type { Generation } from "./generation.ts";
import type { HopParts, Turn } from "./hop.ts";
import { admitTurn, prepareHop, sendHop, settingsOf } from "./hop.ts";
import type { Judgement } from "./judge.ts";
import { judgeHop, judgeRequest } from "./judge.ts";
import type { Denial, Gate, GuestRequest, HopRequest, Outcome } from "./message.ts";
import { openResponse } from "./open-response.ts";
import type { RunRecord } from "./record.ts";
import { atRedirect, nextHop } from "./redirect.ts";
import { openRequestScope } from "./request-scope.ts";
import { bodyLength } from "./request-stream.ts";

/** What the gate of one run stands on. */
export interface GateParts extends HopParts {
  readonly run: RunRecord;
  /** The policy generation in force at this moment, with its limits and connections. */
  readonly generation: () => Generation;
  /** What happens to a 3xx where the rule is silent. */
  readonly redirects: RedirectChoice;
  /** Aborts when the run ends; its reason is a Denial. */
  readonly signal: AbortSignal;
}

/** Opens the gate of one run. */
export function openGate(parts: GateParts): Gate {
  return { request: (asked, options) => request(parts, asked, options.signal) };
}

async function request(parts: GateParts, asked: GuestRequest, signal: AbortSignal): Promise<Outcome> {
  const generation = parts.generation();
  const record = parts.run.openRequest(asked, generation);
  const scope = openRequestScope(parts.clock, [parts.signal, signal]);
  const turn: Turn = { generation, record, scope, redirects: 0, permit: undefined };
  let outcome: Outcome;
  try {
    outcome = await pass(parts, turn, asked);
  } catch (fault) {
    // INVARIANT (fail closed): whatever throws before a request is sent is a denial.
    outcome = refused(denialOf("internal_error", String(fault)));
  }
  if (outcome.kind === "refused") {
    turn.permit?.release();
    scope.dispose();
    await record.end(outcome.denial);
  }
  return outcome;
}

/** One guest request from its text to its open response; every redirect goes round the loop again. */
async function pass(parts: GateParts, turn: Turn, asked: GuestRequest): Promise<Outcome> {
  const { generation, record } = turn;
  let judgement: Judgement = judgeRequest(generation.policy, asked);
  for (;;) {
    if (judgement.effect === "deny") return refuse(turn, judgement, judgement.denial);
    const unadmitted = await admitTurn(parts, turn, judgement);
    if (unadmitted !== undefined) return refuse(turn, judgement, unadmitted);
    const prepared = await prepareHop(parts, turn, judgement);
    if (!prepared.ok && prepared.error.kind === "denial") return refuse(turn, judgement, prepared.error);

    // INVARIANT (record first): nothing is sent that has no decision record.
    const addresses = prepared.ok ? prepared.value.resolved?.answers : undefined;
    const recorded = await record.decided(
      judgement,
      turn.redirects,
      addresses === undefined ? {} : { addresses },
    );
    if (!recorded) {
      if (prepared.ok) prepared.value.idle?.destroy();
      return refused(denialOf("audit_unavailable"));
    }
    const sent = await sendHop(parts, turn, judgement, prepared);
    if (!sent.ok) return refused(sent.error);

    const { status, headers } = sent.value;
    const follow = (settingsOf(judgement, generation).redirects ?? parts.redirects) === "follow";
    const next = follow ? nextHop(judgement.hop, status, headers) : undefined;
    if (next === undefined) {
      return { kind: "response", response: await openResponse(turn, judgement, sent.value) };
    }
    sent.value.discard();
    turn.redirects += 1;
    judgement = judgeRedirect(turn, next);
  }
}

/** A redirect's target is judged like any other hop, unless there is no target to judge. */
function judgeRedirect(turn: Turn, next: Result<HopRequest, Denial>): Judgement {
  if (!next.ok) return { effect: "deny", denial: next.error };
  // The request itself is the first hop.
  if (turn.redirects >= bounds.redirectHopsMax) {
    return { effect: "deny", denial: denialOf("redirect_limit_exceeded") };
  }
  return judgeHop(turn.generation.policy, next.value, bodyLength(next.value.body));
}

/** Records a denial and returns it: a denial that cannot be recorded is still a denial. */
async function refuse(turn: Turn, judgement: Judgement, found: Denial): Promise<Outcome> {
  const denial = turn.redirects > 0 ? atRedirect(found) : found;
  const recorded = await turn.record.decided(judgement, turn.redirects, { denial });
  return refused(recorded ? denial : denialOf("audit_unavailable"));
}

function refused(denial: Denial): Outcome {
  return { kind: "refused", denial };
}
