// The decision: pure, total, and of one cost whatever the number of rules. Works on the parsed destination alone and
// never looks at text that a guest wrote.
//
// 1. CONNECT, TRACE and TRACK are denied whatever the policy says.
// 2. A deny rule that matches denies, whatever allows. INVARIANT (deny beats allow)
// 3. Allow rules that match allow: grants are the union of theirs, settings those of the most specific one.
// 4. Otherwise the reason is the furthest dimension that an allow rule reached: scheme, host, port, method, path.
//
// INVARIANT (order never matters): every choice among rules ends in their ids, which are unique.

import type { Reason } from "../core/reason.ts";
import { isSpecialUseName } from "../url/host-name.ts";
import { makeAddressPolicy, nothingGranted } from "./addresses.ts";
import { isNeverAllowedMethod } from "./method.ts";
import { decodings } from "./path-decoding.ts";
import { isAmbiguousPath, splitPath } from "./path-pattern.ts";
import type {
  AddressGrant,
  AddressPolicy,
  Decision,
  DeniedAddresses,
  Policy,
  PolicyRequest,
} from "./policy.ts";
import { cidrEntries, type HostEntry, type PolicyIndex, type PortEntry, portKey } from "./policy-index.ts";
import {
  type CompiledRule,
  compareInGroup,
  hasMethod,
  type MethodGroups,
  type PathNode,
  type RuleGroup,
  type RuleSet,
} from "./rule-set.ts";

export type { AddressPolicy, Decision } from "./policy.ts";

/** What the policy says about a request. Never throws: a failure of its own is a denial, `policy_error`. */
export function decide(policy: Policy, request: PolicyRequest): Decision {
  try {
    if (isNeverAllowedMethod(request.method)) return deny("method_not_allowed", nothingGranted, true);
    return judge(policy.index, request);
  } catch {
    return deny("policy_error", nothingGranted, true);
  }
}

function judge(index: PolicyIndex, request: PolicyRequest): Decision {
  const search = startSearch(request);
  visitHosts(search, index);
  if (search.deny !== undefined) {
    return { ...deny("rule_denied", addressPolicyOf(search), false), rule: search.deny.compiled.rule };
  }
  if (search.allow === undefined) return deny(reasonOf(search, index), addressPolicyOf(search), false);
  const { rule, limits } = search.allow.compiled;
  const { redirects, traceparent } = rule;
  const grants = addressPolicyOf(search);
  return redirects === undefined
    ? { effect: "allow", rule, grants, limits, traceparent }
    : { effect: "allow", rule, grants, limits, redirects, traceparent };
}

function deny(
  reason: Reason,
  grants: AddressPolicy,
  evenInReportMode: boolean,
): Decision & { readonly effect: "deny" } {
  return { effect: "deny", reason, stage: "policy", grants, evenInReportMode };
}

/** One request on its way through the index. */
interface Search {
  readonly request: PolicyRequest;
  readonly portKey: number;
  /** Furthest dimension that an allow rule has reached. */
  reached: Dimension;
  allow: Match | undefined;
  deny: Match | undefined;
  /** The last group of allow rules that matched. */
  allowGroup: RuleGroup | undefined;
  isEverything: boolean;
  grants: AddressGrant[];
  denied: DeniedAddresses[];
  /** Worked out when a rule with `paths` is met. */
  allowPath: readonly string[] | "ambiguous" | undefined;
  denyPaths: readonly (readonly string[])[] | "unreadable" | undefined;
}

/** A rule that matches, with what makes it more or less specific than others. */
interface Match {
  readonly compiled: CompiledRule;
  readonly hostRank: number;
  readonly portWidth: number;
  readonly pathRank: number;
}

type Dimension = 0 | 1 | 2 | 3 | 4;
const portDimension = 2;
const methodDimension = 3;
const pathDimension = 4;

function startSearch(request: PolicyRequest): Search {
  return {
    request,
    portKey: portKey(request.destination.scheme, request.destination.port),
    reached: 0,
    allow: undefined,
    deny: undefined,
    allowGroup: undefined,
    isEverything: false,
    grants: [],
    denied: [],
    allowPath: undefined,
    denyPaths: undefined,
  };
}

function visitHosts(search: Search, index: PolicyIndex): void {
  const { host, hostText } = search.request.destination;
  visitEntry(search, index.exact.get(hostText));
  visitEntry(search, index.everything);
  if (host.kind !== "name") {
    if (index.cidrs.size > 0) for (const entry of cidrEntries(index, host.ip)) visitEntry(search, entry);
    return;
  }
  if (index.suffixes.size === 0 && index.anyName === undefined) return;
  // A wildcard never matches an IP literal, a single label or a special-use name.
  let dot = hostText.indexOf(".");
  if (dot === -1 || isSpecialUseName(hostText)) return;
  visitEntry(search, index.anyName);
  if (index.suffixes.size === 0) return;
  let isFirst = true;
  while (dot !== -1) {
    const entry = index.suffixes.get(hostText.slice(dot + 1));
    if (entry !== undefined) {
      if (isFirst) visitEntry(search, entry.oneLabel);
      visitEntry(search, entry.labels);
    }
    isFirst = false;
    dot = hostText.indexOf(".", dot + 1);
  }
}

function visitEntry(search: Search, entry: HostEntry | undefined): void {
  if (entry === undefined) return;
  const { scheme, port } = search.request.destination;
  if (search.reached < portDimension && entry.allowedSchemes.has(scheme)) search.reached = portDimension;
  const single = entry.ports.get(search.portKey);
  if (single !== undefined) visitPort(search, entry, single);
  for (const range of entry.ranges) {
    if (range.scheme === scheme && range.portFirst <= port && port <= range.portLast)
      visitPort(search, entry, range);
  }
}

function visitPort(search: Search, host: HostEntry, port: PortEntry): void {
  if (port.deny !== undefined) visitDenySet(search, port.deny, host, port, false);
  if (port.denyAddresses !== undefined) visitDenySet(search, port.denyAddresses, host, port, true);
  if (port.allow !== undefined) visitAllowSet(search, port.allow, host, port);
}

function visitAllowSet(search: Search, set: RuleSet, host: HostEntry, port: PortEntry): void {
  const dimension = hasMethod(set, search.request.method) ? pathDimension : methodDimension;
  if (search.reached < dimension) search.reached = dimension;
  if (dimension !== pathDimension) return;
  const found = (groups: MethodGroups): void => foundAllow(search, groups, host, port);
  if (set.anyPath !== undefined) found(set.anyPath);
  if (set.paths === undefined) return;
  const { path } = search.request.destination;
  search.allowPath ??= isAmbiguousPath(path) ? "ambiguous" : splitPath(path);
  // INVARIANT (doubt denies): a path that servers read in several ways meets no allow rule with `paths`.
  if (search.allowPath !== "ambiguous") walkPaths(set.paths, search.allowPath, 0, found);
}

function visitDenySet(
  search: Search,
  set: RuleSet,
  host: HostEntry,
  port: PortEntry,
  isAboutAddresses: boolean,
): void {
  if (!hasMethod(set, search.request.method)) return;
  const found = (groups: MethodGroups): void => {
    if (isAboutAddresses) foundDenyAddresses(search, groups);
    else foundDeny(search, groups, host, port);
  };
  if (set.anyPath !== undefined) found(set.anyPath);
  if (set.paths === undefined) return;
  search.denyPaths ??= readingsOf(search.request.destination.path);
  if (search.denyPaths !== "unreadable") {
    for (const segments of search.denyPaths) walkPaths(set.paths, segments, 0, found);
  } else if (set.withPaths !== undefined) {
    found(set.withPaths);
  }
}

function readingsOf(path: string): readonly (readonly string[])[] | "unreadable" {
  const readings = decodings(path);
  return readings === undefined ? "unreadable" : Array.from(readings, splitPath);
}

function walkPaths(
  node: PathNode,
  segments: readonly string[],
  at: number,
  found: (groups: MethodGroups) => void,
): void {
  if (node.rest !== undefined) found(node.rest);
  const segment = segments[at];
  if (segment === undefined) {
    if (node.here !== undefined) found(node.here);
    return;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) walkPaths(literal, segments, at + 1, found);
  if (node.one !== undefined && segment !== "") walkPaths(node.one, segments, at + 1, found);
}

function foundAllow(search: Search, groups: MethodGroups, host: HostEntry, port: PortEntry): void {
  for (const group of groupsOf(groups, search.request.method)) {
    search.allow = narrower(search.allow, matchOf(group, groups, host, port));
    search.allowGroup = group;
    search.isEverything ||= host.isEverything;
    search.grants.push(...group.grants);
    if (host.literalGrant !== undefined) search.grants.push(host.literalGrant);
  }
}

function foundDeny(search: Search, groups: MethodGroups, host: HostEntry, port: PortEntry): void {
  for (const group of groupsOf(groups, search.request.method)) {
    search.deny = narrower(search.deny, matchOf(group, groups, host, port));
  }
}

function foundDenyAddresses(search: Search, groups: MethodGroups): void {
  for (const group of groupsOf(groups, search.request.method)) {
    for (const { rule } of group.rules) search.denied.push({ rule, grants: rule.addresses });
  }
}

function groupsOf(groups: MethodGroups, method: string): readonly RuleGroup[] {
  const named = groups.byMethod.get(method);
  if (groups.anyMethod === undefined) return named === undefined ? [] : [named];
  return named === undefined ? [groups.anyMethod] : [named, groups.anyMethod];
}

function matchOf(
  group: RuleGroup,
  groups: MethodGroups,
  host: HostEntry,
  port: PortEntry,
): Match | undefined {
  const compiled = group.rules[0];
  if (compiled === undefined) return undefined;
  const portWidth = port.portLast - port.portFirst;
  return { compiled, hostRank: host.rank, portWidth, pathRank: groups.pathRank };
}

function narrower(a: Match | undefined, b: Match | undefined): Match | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const order =
    a.hostRank - b.hostRank ||
    a.portWidth - b.portWidth ||
    b.pathRank - a.pathRank ||
    compareInGroup(a.compiled, b.compiled);
  return order <= 0 ? a : b;
}

function addressPolicyOf(search: Search): AddressPolicy {
  const { allowGroup, isEverything, grants, denied } = search;
  // Nearly every request: all that is granted, if anything, comes from one group of rules.
  const isOfOneGroup = allowGroup !== undefined && grants.length === allowGroup.grants.length;
  if (isOfOneGroup && !isEverything && denied.length === 0) return allowGroup.addressPolicy;
  return makeAddressPolicy(isEverything, grants, denied);
}

function reasonOf(search: Search, index: PolicyIndex): Reason {
  const { host, scheme } = search.request.destination;
  if (search.reached === pathDimension) return "path_not_allowed";
  if (search.reached === methodDimension) return "method_not_allowed";
  if (search.reached === portDimension) return "port_not_allowed";
  // Without any allow rule no scheme is better than another, and the host is what an operator would add.
  if (index.allowedSchemes.size > 0 && !index.allowedSchemes.has(scheme)) return "scheme_not_allowed";
  return host.kind === "name" ? "host_not_allowed" : "ip_literal_not_allowed";
}
