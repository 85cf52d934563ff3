// Makes a policy in force out of its parts: fills in limits, indexes rules, writes the canonical text. For rules that were
// read and checked; it reports nothing.

import { canonicalText } from "./canonical.ts";
import { resolveGuestLimits } from "./limits.ts";
import type { Limits, Policy, Rule } from "./policy.ts";
import { buildIndex } from "./policy-index.ts";

/** What a policy is made of. */
export interface PolicyParts {
  readonly name: string;
  readonly mode: "enforce" | "report";
  /** In any order; ids are unique. */
  readonly rules: readonly Rule[];
  /** Of the guest as a whole, as written. */
  readonly limits: Limits;
  readonly file?: string;
}

/** Compiles a policy; the result is frozen. */
export function buildPolicy(parts: PolicyParts): Policy {
  const { name, mode, limits, file } = parts;
  // INVARIANT (order never matters): from here on the order of the document is gone.
  const rules = parts.rules.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return Object.freeze({
    name,
    mode,
    rules,
    limits: resolveGuestLimits(limits, rules),
    allowsEverything: rules.some(
      (rule) => rule.effect === "allow" && rule.to.some(({ kind }) => kind === "everything"),
    ),
    ...(file === undefined ? {} : { file }),
    canonical: canonicalText(mode, rules, limits),
    index: buildIndex(rules),
  });
}
