// The predecessor's list of allowed hosts, and the `-a` of the command line, as a policy: each pattern is a rule of its own.

import { parseAddressGrant } from "./addresses.ts";
import { buildPolicy } from "./build-policy.ts";
import type { ParsedPolicy } from "./document.ts";
import { everythingFinding } from "./document-rule.ts";
import { parsePattern } from "./pattern.ts";
import type { AddressGrant, Limits, Policy, Rule } from "./policy.ts";
import { hasErrors, type ProblemList, startProblems } from "./problem.ts";

/** What holds for all patterns of the list. */
export interface AllowListOptions {
  /** As in a rule: ranges, addresses, or names of ranges. */
  readonly addresses?: readonly string[];
  /** Of the guest as a whole. */
  readonly limits?: Limits;
  /** Default `enforce`. */
  readonly mode?: Policy["mode"];
}

/**
 * Makes a policy of patterns: rules `allowed-host-1` to `allowed-host-n` in the order given. No list and an empty one
 * deny everything. Places of problems are the number of the pattern as the line.
 */
export function policyFromAllowList(
  patterns: readonly string[] | undefined,
  options: AllowListOptions = {},
): ParsedPolicy {
  const problems = startProblems("allowed-hosts");
  const addresses = readAddresses(options.addresses ?? [], problems);
  const rules: Rule[] = [];
  for (const [index, text] of (patterns ?? []).entries()) {
    const place = { line: index + 1, column: 1 };
    const parsed = parsePattern(text);
    if (!parsed.ok) {
      for (const finding of parsed.error) problems.error(place, finding, text);
      continue;
    }
    const { pattern, warnings } = parsed.value;
    for (const warning of warnings) problems.warning(place, warning, text);
    if (pattern.kind === "everything") problems.warning(place, everythingFinding("allow"), text);
    const id = `allowed-host-${index + 1}`;
    rules.push({ id, effect: "allow", to: [pattern], addresses, limits: {}, traceparent: false, place });
  }
  if (hasErrors(problems.problems)) return { problems: problems.problems };
  const { limits = {}, mode = "enforce" } = options;
  return { policy: buildPolicy({ name: "allowed-hosts", mode, rules, limits }), problems: problems.problems };
}

function readAddresses(texts: readonly string[], problems: ProblemList): readonly AddressGrant[] {
  const grants: AddressGrant[] = [];
  for (const text of texts) {
    const parsed = parseAddressGrant(text);
    if (parsed.ok) grants.push(parsed.value);
    else problems.error({ line: 1, column: 1 }, parsed.error, text);
  }
  return grants;
}
