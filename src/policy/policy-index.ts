// The compiled form of a policy's rules: exact hosts by hash, suffixes by label, ranges by the prefix lengths present, then port,
// then a tree of path segments, then method. Whatever is looked up costs a look-up, however many rules there are.

import { unreachable } from "../core/assert.ts";
import type { Scheme } from "../url/destination.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { grantOfAddress } from "./addresses.ts";
import type { AddressGrant, Pattern, Rule } from "./policy.ts";
import { buildRuleSet, type CompiledRule, compileRule, type RuleSet } from "./rule-set.ts";

/** All rules of a policy by what they match. */
export interface PolicyIndex {
  /** By canonical name or address text. */
  readonly exact: ReadonlyMap<string, HostEntry>;
  /** `*.suffix` and `**.suffix`, by suffix. */
  readonly suffixes: ReadonlyMap<string, SuffixEntry>;
  readonly anyName: HostEntry | undefined;
  /** By `cidrKey`; `prefixes` are those present, longest first. */
  readonly cidrs: ReadonlyMap<string, HostEntry>;
  readonly prefixes: Readonly<Record<4 | 6, readonly number[]>>;
  readonly everything: HostEntry | undefined;
  /** Schemes that some allow rule has. */
  readonly allowedSchemes: ReadonlySet<Scheme>;
}

/** The rules of one suffix. */
export interface SuffixEntry {
  readonly oneLabel: HostEntry | undefined;
  readonly labels: HostEntry | undefined;
}

/** The rules of one host pattern. */
export interface HostEntry {
  /** Narrower hosts have lower ranks. */
  readonly rank: number;
  /** What an exact literal pattern grants. */
  readonly literalGrant: AddressGrant | undefined;
  readonly isEverything: boolean;
  /** Patterns of one port, by `portKey`. */
  readonly ports: ReadonlyMap<number, PortEntry>;
  /** Patterns of a range of ports, each range once. */
  readonly ranges: readonly PortEntry[];
  /** Schemes in which an allow rule has this host. */
  readonly allowedSchemes: ReadonlySet<Scheme>;
}

/** The rules of one scheme, host pattern and port pattern. */
export interface PortEntry {
  readonly scheme: Scheme;
  readonly portFirst: number;
  readonly portLast: number;
  readonly allow: RuleSet | undefined;
  readonly deny: RuleSet | undefined;
  /** Deny rules with `addresses`: they speak after resolution. */
  readonly denyAddresses: RuleSet | undefined;
}

/** Under which a pattern of a single port is kept. */
export function portKey(scheme: Scheme, port: number): number {
  return port * 2 + (scheme === "https" ? 1 : 0);
}

/** Under which a CIDR pattern is kept: the address's first `prefix` bits. */
function cidrKey(bytes: Uint8Array, prefix: number): string {
  let key = `${bytes.length}/${prefix}:`;
  const whole = prefix >> 3;
  for (let index = 0; index < whole; index += 1) key += `${bytes[index]}.`;
  const mask = (0xff << (8 - (prefix & 7))) & 0xff;
  return (prefix & 7) === 0 ? key : `${key}${(bytes[whole] ?? 0) & mask}`;
}

/** The entries whose CIDR pattern holds an address; asks once for each prefix length present. */
export function cidrEntries(index: PolicyIndex, ip: IpAddress): readonly HostEntry[] {
  return index.prefixes[ip.family].flatMap((prefix) => index.cidrs.get(cidrKey(ip.bytes, prefix)) ?? []);
}

/** Indexes rules. Their order makes no difference to what comes out of any look-up. */
export function buildIndex(rules: readonly Rule[]): PolicyIndex {
  const drafts = new Map<string, HostDraft>();
  const compiled = rules.map(compileRule);
  for (const rule of compiled) {
    for (const pattern of rule.rule.to) addPattern(drafts, pattern, rule);
  }
  const sharedSets = new Map<string, RuleSet>();
  const exact = new Map<string, HostEntry>();
  const cidrs = new Map<string, HostEntry>();
  const suffixes = new Map<string, { oneLabel: HostEntry | undefined; labels: HostEntry | undefined }>();
  const prefixes = { 4: new Set<number>(), 6: new Set<number>() };
  let anyName: HostEntry | undefined;
  let everything: HostEntry | undefined;
  for (const { pattern, ports } of drafts.values()) {
    const entry = finishHost(pattern, [...ports.values()], sharedSets);
    if (pattern.kind === "everything") {
      everything = entry;
      continue;
    }
    const { host } = pattern;
    switch (host.kind) {
      case "exact":
        exact.set(host.name, entry);
        break;
      case "ip":
        exact.set(host.text, entry);
        break;
      case "one_label":
        suffixes.set(host.suffix, { labels: suffixes.get(host.suffix)?.labels, oneLabel: entry });
        break;
      case "labels":
        suffixes.set(host.suffix, { oneLabel: suffixes.get(host.suffix)?.oneLabel, labels: entry });
        break;
      case "any_name":
        anyName = entry;
        break;
      case "cidr":
        cidrs.set(cidrKey(host.cidr.bytes, host.cidr.prefix), entry);
        prefixes[host.cidr.family].add(host.cidr.prefix);
        break;
      default:
        unreachable(host);
    }
  }
  const allowedSchemes = new Set<Scheme>();
  for (const { rule } of compiled) {
    for (const pattern of rule.effect === "allow" ? rule.to : []) {
      for (const scheme of schemesOf(pattern)) allowedSchemes.add(scheme);
    }
  }
  const longestFirst = (family: 4 | 6): number[] => [...prefixes[family]].toSorted((a, b) => b - a);
  return {
    exact,
    suffixes,
    anyName,
    cidrs,
    prefixes: { 4: longestFirst(4), 6: longestFirst(6) },
    everything,
    allowedSchemes,
  };
}

interface HostDraft {
  readonly pattern: Pattern;
  /** By scheme and ports. */
  readonly ports: Map<string, PortDraft>;
}

interface PortDraft {
  readonly scheme: Scheme;
  readonly portFirst: number;
  readonly portLast: number;
  readonly allow: CompiledRule[];
  readonly deny: CompiledRule[];
  readonly denyAddresses: CompiledRule[];
}

function addPattern(drafts: Map<string, HostDraft>, pattern: Pattern, rule: CompiledRule): void {
  const key = hostKey(pattern);
  const draft = drafts.get(key) ?? { pattern, ports: new Map<string, PortDraft>() };
  drafts.set(key, draft);
  const [portFirst, portLast] =
    pattern.kind === "everything" ? [1, 65_535] : [pattern.portFirst, pattern.portLast];
  for (const scheme of schemesOf(pattern)) {
    const portsKey = `${scheme}:${portFirst}-${portLast}`;
    const ports = draft.ports.get(portsKey) ?? {
      scheme,
      portFirst,
      portLast,
      allow: [],
      deny: [],
      denyAddresses: [],
    };
    draft.ports.set(portsKey, ports);
    const isAboutAddresses = rule.rule.addresses.length > 0;
    const list =
      rule.rule.effect === "allow" ? ports.allow : isAboutAddresses ? ports.denyAddresses : ports.deny;
    // Two patterns of one rule may be the same pattern.
    if (list.at(-1) !== rule) list.push(rule);
  }
}

function hostKey(pattern: Pattern): string {
  if (pattern.kind === "everything") return pattern.kind;
  const { host } = pattern;
  switch (host.kind) {
    case "exact":
      return `name ${host.name}`;
    case "ip":
      return `name ${host.text}`;
    case "any_name":
      return host.kind;
    case "cidr":
      return `${host.kind} ${host.cidr.text}`;
    default:
      return `${host.kind} ${host.suffix}`;
  }
}

function schemesOf(pattern: Pattern): readonly Scheme[] {
  return pattern.kind === "everything" ? ["http", "https"] : [pattern.scheme];
}

function finishHost(
  pattern: Pattern,
  drafts: readonly PortDraft[],
  sharedSets: Map<string, RuleSet>,
): HostEntry {
  const ports = new Map<number, PortEntry>();
  const ranges: PortEntry[] = [];
  const allowedSchemes = new Set<Scheme>();
  for (const { scheme, portFirst, portLast, allow, deny, denyAddresses } of drafts) {
    const entry = {
      scheme,
      portFirst,
      portLast,
      allow: buildRuleSet("allow", allow, sharedSets),
      deny: buildRuleSet("deny", deny, sharedSets),
      denyAddresses: buildRuleSet("deny", denyAddresses, sharedSets),
    };
    if (portFirst === portLast) ports.set(portKey(scheme, portFirst), entry);
    else ranges.push(entry);
    if (allow.length > 0) allowedSchemes.add(scheme);
  }
  const isLiteral = pattern.kind === "destination" && pattern.host.kind === "ip";
  return {
    rank: hostRank(pattern),
    literalGrant: isLiteral && pattern.host.kind === "ip" ? grantOfAddress(pattern.host.text) : undefined,
    isEverything: pattern.kind === "everything",
    ports,
    ranges,
    allowedSchemes,
  };
}

/** Narrower hosts first: exact, `*.`, `**.` by longer suffix, `**`, CIDR by longer prefix, everything. */
function hostRank(pattern: Pattern): number {
  if (pattern.kind === "everything") return 5_000;
  const { host } = pattern;
  switch (host.kind) {
    case "exact":
    case "ip":
      return 0;
    case "one_label":
      return 1_000;
    case "labels":
      return 2_000 + (255 - host.suffix.length);
    case "any_name":
      return 3_000;
    case "cidr":
      return 4_000 + (255 - host.cidr.prefix);
    default:
      return unreachable(host);
  }
}
