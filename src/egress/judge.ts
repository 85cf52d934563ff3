// The whole judgement of a request that needs no network: normalise, screen, decide. Pure and total.
// The gate and `policy explain` both stand on it, so that an explanation can never differ from the enforcement.

import { decide } from "../policy/decide.ts";
import type { AddressPolicy, Decision, Policy } from "../policy/policy.ts";
import type { Destination } from "../url/destination.ts";
import { parseDestination } from "../url/destination.ts";
import { denialOf } from "./denial.ts";
import { screenMethod, screenRequestHeaders } from "./header-screen.ts";
import type { Denial, HeaderField, HopRequest, RequestBody } from "./message.ts";
import { bodyLength } from "./request-stream.ts";

/** A hop that may be sent as far as the policy can tell; its addresses are still to be vetted. */
export interface Passed {
  /** `would_deny`: the rules deny it, and the policy only reports. */
  readonly effect: "allow" | "would_deny";
  readonly hop: HopRequest;
  /** Names of the trace headers that were dropped. */
  readonly stripped: readonly string[];
  readonly decision: Decision;
  readonly grants: AddressPolicy;
  /** With `would_deny`: what enforcing would have said. */
  readonly denial?: Denial;
}

/** A hop that must not be sent. */
export interface Refused {
  readonly effect: "deny";
  /** Absent when the URL did not parse. */
  readonly destination?: Destination;
  /** The hop's method when it is not the one that the guest asked with. */
  readonly method?: string;
  readonly denial: Denial;
}

/** What `judgeRequest` returns. */
export type Judgement = Passed | Refused;

/** A request as text, before anybody has looked at it. */
export interface AskedRequest {
  readonly method: string;
  readonly url: unknown;
  readonly headers?: readonly HeaderField[];
  /** Absent: there is no body. `unknown`: only the request's head is judged. */
  readonly body?: RequestBody | "unknown" | undefined;
}

/** Judges a guest's request: the one parse of its URL, then everything that `judgeHop` does. */
export function judgeRequest(policy: Policy, request: AskedRequest): Judgement {
  // INVARIANT (one parse): from here on only the destination is looked at, never the text again.
  const parsed = parseDestination(request.url);
  if (!parsed.ok) return { effect: "deny", denial: denialOf(parsed.error.reason, parsed.error.detail) };
  const { method, headers = [], body } = request;
  const hop = { method, headers, destination: parsed.value, body: body === "unknown" ? undefined : body };
  return judgeHop(policy, hop, body === "unknown" ? undefined : bodyLength(body));
}

/** Judges one hop: screens method and headers, then asks the policy. `bodyBytes` is `undefined` where nobody knows it. */
export function judgeHop(policy: Policy, hop: HopRequest, bodyBytes: number | undefined): Judgement {
  const { destination } = hop;
  const method = screenMethod(hop.method);
  if (!method.ok) return refusal(hop, denialOf(method.error.reason, method.error.detail));
  const screened = screenRequestHeaders(hop.headers, { destination, bodyBytes });
  if (!screened.ok) {
    return refusal(hop, denialOf(screened.error.reason, screened.error.detail));
  }
  const clean: HopRequest = { ...hop, headers: screened.value.headers };
  const { stripped } = screened.value;
  const decision = decide(policy, { method: hop.method, destination });
  if (decision.effect === "allow") {
    return { effect: "allow", hop: clean, stripped, decision, grants: decision.grants };
  }
  const denial: Denial = {
    ...denialOf(decision.reason),
    ...(decision.rule === undefined ? {} : { rule: decision.rule.id }),
  };
  if (policy.mode === "report" && !decision.evenInReportMode) {
    return {
      effect: "would_deny",
      hop: clean,
      stripped,
      decision,
      grants: decision.grants,
      denial,
    };
  }
  return refusal(hop, denial);
}

function refusal({ destination, method }: HopRequest, denial: Denial): Refused {
  return { effect: "deny", destination, method, denial };
}
