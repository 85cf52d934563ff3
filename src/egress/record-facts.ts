// Facts that records draw from a judgement or a denial. Pure; nothing is written here.
import type { RequestEnd } from "../trace/span-facts.ts";
import type { Judgement } from "./judge.ts";
import type { Denial } from "./message.ts";

/** What became of a request. */
export type Outcome = RequestEnd["outcome"];

/** What a denial, or none, made of a request; `answered`: the guest had its response already. */
export function outcomeOf(denial: Denial | undefined, answered: boolean): Outcome {
  if (denial === undefined) return "response";
  // A host that closes cuts off what it had allowed: that denies nothing.
  if (answered && denial.stage === "host") return "cancelled";
  if (denial.kind === "denial") return "denied";
  return denial.kind === "failure" ? "failed" : "cancelled";
}

/** The rule that a judgement names. */
export function ruleOf(judgement: Judgement): string | undefined {
  if (judgement.effect === "deny") return judgement.denial.rule;
  if (judgement.effect === "would_deny") return judgement.denial?.rule;
  return judgement.decision.effect === "allow" ? judgement.decision.rule.id : undefined;
}

/** The rule's own path pattern, so that span names stay as few as the policy's paths. */
export function templateOf(judgement: Judgement): string | undefined {
  if (judgement.effect !== "allow" || judgement.decision.effect !== "allow") return undefined;
  const { paths } = judgement.decision.rule;
  return paths?.length === 1 ? paths[0]?.text : undefined;
}
