// The plain facts of a decision, for people: what was decided, by which rule and where it stands, and which allow rules came
// nearest to a denied request. Decides nothing; slow, since it looks at every rule, and right for the same reason.

import { type Reason, reasonTable, type Stage } from "../core/reason.ts";
import type { Destination } from "../url/destination.ts";
import { isPublicLookingName, isSpecialUseName } from "../url/host-name.ts";
import { cidrContains } from "../url/ip-address.ts";
import { type AddressVerdict, grantText } from "./addresses.ts";
import { isAmbiguousPath, pathMatches, splitPath } from "./path-pattern.ts";
import type {
  Decision,
  HostPattern,
  Pattern,
  Policy,
  PolicyRequest,
  RedirectChoice,
  ResolvedLimits,
  Rule,
} from "./policy.ts";

/** Where a rule stands. */
export interface RulePlace {
  readonly id: string;
  readonly file?: string;
  readonly line: number;
  readonly column: number;
}

/** A part of a rule that a request can fail at, in the order in which they are looked at. */
export type Dimension = "scheme" | "host" | "port" | "method" | "path";

/** An allow rule that did not match, and why. */
export interface NearMiss {
  readonly rule: RulePlace;
  readonly failedAt: Dimension;
  /** What the rule has there: patterns, methods or paths. */
  readonly has: readonly string[];
}

/** A decision in plain values. */
export interface Explanation {
  readonly effect: "allow" | "deny";
  readonly reason?: Reason;
  readonly stage?: Stage;
  /** The reason in words. */
  readonly sentence?: string;
  /** The rule that decided. */
  readonly rule?: RulePlace;
  readonly limits?: ResolvedLimits;
  readonly redirects?: RedirectChoice;
  readonly traceparent?: boolean;
  /** Special addresses that may be reached; `everything` with `insecure:allow-all`. */
  readonly grants: readonly string[];
  /** Ranges that deny rules forbid. */
  readonly deniedRanges: readonly { readonly rule: RulePlace; readonly ranges: readonly string[] }[];
  /** The judgement of the addresses, when there was one: with `ok: false` the request is denied. */
  readonly addresses?: AddressVerdict;
  /** For a denial that no deny rule made: at most `nearMissesMax` allow rules, by id. */
  readonly nearMisses: readonly NearMiss[];
}

const nearMissesMax = 10;

/** Explains a decision; `addresses` is what vetAddresses said, if it was asked. */
export function explainDecision(
  policy: Policy,
  request: PolicyRequest,
  decision: Decision,
  addresses?: AddressVerdict,
): Explanation {
  const placeOf = (rule: Rule): RulePlace => ({
    id: rule.id,
    ...(policy.file === undefined ? {} : { file: policy.file }),
    ...rule.place,
  });
  const { grants: addressPolicy } = decision;
  const facts = {
    grants: addressPolicy.everything ? ["everything"] : addressPolicy.grants.map(grantText),
    deniedRanges: addressPolicy.denied.map(({ rule, grants }) => ({
      rule: placeOf(rule),
      ranges: grants.map(grantText),
    })),
    ...(decision.rule === undefined ? {} : { rule: placeOf(decision.rule) }),
    ...(addresses === undefined ? {} : { addresses }),
  };
  if (decision.effect === "deny") {
    const { reason, stage, evenInReportMode } = decision;
    const misses = reason === "rule_denied" || evenInReportMode ? [] : findNearMisses(policy.rules, request);
    const nearMisses = misses.map(({ rule, ...miss }) => ({ ...miss, rule: placeOf(rule) }));
    return { effect: "deny", reason, stage, sentence: reasonTable[reason].sentence, ...facts, nearMisses };
  }
  const { limits, redirects, traceparent } = decision;
  const settings = { limits, traceparent, ...(redirects === undefined ? {} : { redirects }) };
  if (addresses?.ok !== false) return { effect: "allow", ...facts, ...settings, nearMisses: [] };
  const reason = "address_forbidden";
  const { stage, sentence } = reasonTable[reason];
  const denier = addresses.rule === undefined ? {} : { rule: placeOf(addresses.rule) };
  return { effect: "deny", reason, stage, sentence, ...facts, ...denier, nearMisses: [] };
}

const dimensions: readonly Dimension[] = ["scheme", "host", "port", "method", "path"];

interface Miss {
  readonly rule: Rule;
  readonly failedAt: Dimension;
  readonly has: readonly string[];
}

function findNearMisses(rules: readonly Rule[], request: PolicyRequest): readonly Miss[] {
  const misses = rules.filter((rule) => rule.effect === "allow").map((rule) => missOf(rule, request));
  const furthest = Math.max(...misses.map(({ failedAt }) => dimensions.indexOf(failedAt)));
  return misses.filter(({ failedAt }) => dimensions.indexOf(failedAt) === furthest).slice(0, nearMissesMax);
}

function missOf(rule: Rule, request: PolicyRequest): Miss {
  const failures = rule.to.map((pattern) => ({ pattern, failedAt: failureOf(rule, pattern, request) }));
  const furthest = Math.max(...failures.map(({ failedAt }) => dimensions.indexOf(failedAt)));
  const failedAt = dimensions[furthest] ?? "scheme";
  if (failedAt === "method") return { rule, failedAt, has: rule.methods ?? [] };
  if (failedAt === "path") return { rule, failedAt, has: (rule.paths ?? []).map(({ text }) => text) };
  const has = failures.filter((failure) => failure.failedAt === failedAt).map(({ pattern }) => pattern.text);
  return { rule, failedAt, has };
}

// The last dimension is what is left when all others fit: the rule is known not to match.
function failureOf(rule: Rule, pattern: Pattern, { method, destination }: PolicyRequest): Dimension {
  if (pattern.kind === "destination") {
    if (pattern.scheme !== destination.scheme) return "scheme";
    if (!hostMatches(pattern.host, destination)) return "host";
    if (destination.port < pattern.portFirst || destination.port > pattern.portLast) return "port";
  }
  return rule.methods === undefined || rule.methods.includes(method) ? "path" : "method";
}

/** Whether a host pattern matches, by looking at the text. */
export function hostMatches(pattern: HostPattern, { host, hostText }: Destination): boolean {
  switch (pattern.kind) {
    case "exact":
      return hostText === pattern.name;
    case "ip":
      return hostText === pattern.text;
    case "cidr":
      return host.kind !== "name" && cidrContains(pattern.cidr, host.ip);
    case "any_name":
      return host.kind === "name" && isPublicLookingName(hostText);
    default: {
      if (host.kind !== "name" || !hostText.endsWith(`.${pattern.suffix}`) || isSpecialUseName(hostText))
        return false;
      const front = hostText.slice(0, -pattern.suffix.length - 1);
      return pattern.kind === "labels" || !front.includes(".");
    }
  }
}

/** Whether an allow rule's paths match, by looking at every pattern. */
export function pathsAllow(rule: Rule, path: string): boolean {
  if (rule.paths === undefined) return true;
  return !isAmbiguousPath(path) && rule.paths.some((pattern) => pathMatches(pattern, splitPath(path)));
}
