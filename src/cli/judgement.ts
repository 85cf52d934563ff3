// Judges one request for `policy explain`: the gate's own judgement, then the gate's own look at the addresses
// that the user says the name has. It must never resolve a name or decide anything itself.
import type { Denial, Destination, HeaderField, Judgement, Policy } from "../index.ts";
import { judgeRequest, vetAnswers } from "../index.ts";

/** What is asked; `resolves` absent means that the name's addresses are not known. */
export interface Question {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly HeaderField[];
  readonly resolves: readonly string[] | undefined;
}

/** What the gate would say. */
export interface Verdict {
  readonly effect: "allow" | "deny";
  /** With `deny`. */
  readonly denial: Denial | undefined;
  /** The rule that allows or denies. */
  readonly rule: string | undefined;
  readonly destination: Destination | undefined;
  readonly addressesJudged: boolean;
  readonly judgement: Judgement;
}

/** Judges a request. Pure and total. */
export function judge(policy: Policy, question: Question): Verdict {
  const { method, url, headers, resolves } = question;
  const judgement = judgeRequest(policy, { method, url, headers, body: "unknown" });
  if (judgement.effect === "deny") {
    const { denial, destination } = judgement;
    const addressesJudged = destination?.host.kind !== "name" || resolves !== undefined;
    return { effect: "deny", denial, rule: denial.rule, destination, addressesJudged, judgement };
  }
  const { hop, decision, grants } = judgement;
  const { destination } = hop;
  const allowedBy = decision.effect === "allow" ? decision.rule.id : undefined;
  const { host } = destination;
  const addressesJudged = host.kind !== "name" || resolves !== undefined;
  const vetted = addressesJudged ? vetAnswers(host, resolves ?? [], grants) : undefined;
  const found = vetted === undefined || vetted.ok ? undefined : vetted.error;
  // As at the gate: a policy that only reports still guards addresses.
  const denial = found ?? (judgement.effect === "would_deny" ? judgement.denial : undefined);
  // What then fails is recorded under the rule that allowed it, unless another one refused it.
  const rule = denial?.rule ?? allowedBy;
  return {
    effect: denial === undefined ? "allow" : "deny",
    denial: denial === undefined || rule === undefined ? denial : { ...denial, rule },
    rule,
    destination,
    addressesJudged,
    judgement,
  };
}
