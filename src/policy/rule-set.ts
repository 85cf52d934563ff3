// The rules of one host and port, by path and then by method: a tree of path segments whose leaves hold rules that nothing
// but their settings tells apart. Built once for all hosts that share the same rules.

import { makeAddressPolicy, uniqueGrants } from "./addresses.ts";
import { resolveLimits, ruleLimitDefaults } from "./limits.ts";
import { decode } from "./path-decoding.ts";
import type { AddressGrant, AddressPolicy, PathPattern, ResolvedLimits, Rule } from "./policy.ts";

/** A rule with what would otherwise be worked out at every request. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly limits: ResolvedLimits;
  /** Fewer methods are narrower; a rule without `methods` has any number. */
  readonly methodCount: number;
}

/** Rules that match alike, the narrowest first. */
export interface RuleGroup {
  readonly rules: readonly CompiledRule[];
  readonly grants: readonly AddressGrant[];
  /** The grants when no other group matches. */
  readonly addressPolicy: AddressPolicy;
}

/** Rules of one path pattern by method. */
export interface MethodGroups {
  /** Higher is narrower; rules without `paths` have -1. */
  readonly pathRank: number;
  /** Rules without `methods`. */
  readonly anyMethod: RuleGroup | undefined;
  readonly byMethod: ReadonlyMap<string, RuleGroup>;
}

/** A step into the paths of a set. */
export interface PathNode {
  readonly literals: ReadonlyMap<string, PathNode>;
  readonly one: PathNode | undefined;
  /** Patterns that end here. */
  readonly here: MethodGroups | undefined;
  /** Patterns with `**` behind here. */
  readonly rest: MethodGroups | undefined;
}

/** The rules of one host and port. */
export interface RuleSet {
  readonly hasRuleForAnyMethod: boolean;
  readonly methods: ReadonlySet<string>;
  /** Rules without `paths`. */
  readonly anyPath: MethodGroups | undefined;
  /** Rules with `paths`. */
  readonly paths: PathNode | undefined;
  /** Rules with `paths`, whatever these are: for paths that nobody can read. */
  readonly withPaths: MethodGroups | undefined;
}

/** Prepares a rule for decide. */
export function compileRule(rule: Rule): CompiledRule {
  return {
    rule,
    limits: resolveLimits(rule.limits, ruleLimitDefaults),
    methodCount: rule.methods === undefined ? Number.POSITIVE_INFINITY : rule.methods.length,
  };
}

/** Whether a rule of the set is for this method. */
export function hasMethod(set: RuleSet, method: string): boolean {
  return set.hasRuleForAnyMethod || set.methods.has(method);
}

/**
 * Indexes rules by path and method; `undefined` for none. Deny rules are kept by their decoded paths, since that is how
 * requests are held against them. Equal lists give one and the same set, out of `shared`.
 */
export function buildRuleSet(
  effect: "allow" | "deny",
  rules: readonly CompiledRule[],
  shared: Map<string, RuleSet>,
): RuleSet | undefined {
  if (rules.length === 0) return undefined;
  const sorted = rules.toSorted(compareInGroup);
  const key = sorted.map(({ rule }) => rule.id).join(" ");
  const known = shared.get(key);
  if (known !== undefined) return known;
  const withoutPaths = sorted.filter(({ rule }) => rule.paths === undefined);
  const withPaths = sorted.filter(({ rule }) => rule.paths !== undefined);
  const set: RuleSet = {
    hasRuleForAnyMethod: sorted.some(({ rule }) => rule.methods === undefined),
    methods: new Set(sorted.flatMap(({ rule }) => rule.methods ?? [])),
    anyPath: groupByMethod(withoutPaths, -1),
    paths: withPaths.length === 0 ? undefined : buildTree(effect, withPaths),
    withPaths: effect === "deny" ? groupByMethod(withPaths, 0) : undefined,
  };
  shared.set(key, set);
  return set;
}

/** Fewer methods first, then by id in code units. */
export function compareInGroup(a: CompiledRule, b: CompiledRule): number {
  // Infinity minus Infinity is no number.
  if (a.methodCount !== b.methodCount) return a.methodCount < b.methodCount ? -1 : 1;
  return a.rule.id < b.rule.id ? -1 : a.rule.id > b.rule.id ? 1 : 0;
}

/**
 * How narrow a path pattern is, for patterns that match the same path: more literal segments first, then exact
 * before `*` before `**`, then more segments.
 */
function pathRank({ segments }: PathPattern): number {
  const literals = segments.filter((segment) => segment.kind === "literal").length;
  const kind = segments.at(-1)?.kind === "rest" ? 0 : literals < segments.length ? 1 : 2;
  // No path has 16,384 segments: URLs end at 8 KiB.
  return (literals * 3 + kind) * 16_384 + segments.length;
}

interface NodeDraft {
  readonly literals: Map<string, NodeDraft>;
  one: NodeDraft | undefined;
  readonly here: CompiledRule[];
  readonly rest: CompiledRule[];
  hereRank: number;
  restRank: number;
}

function emptyNode(): NodeDraft {
  return { literals: new Map(), one: undefined, here: [], rest: [], hereRank: 0, restRank: 0 };
}

function buildTree(effect: "allow" | "deny", rules: readonly CompiledRule[]): PathNode {
  const root = emptyNode();
  for (const compiled of rules) {
    for (const pattern of compiled.rule.paths ?? []) {
      const node = stepInto(root, pattern, effect === "deny");
      const isRest = pattern.segments.at(-1)?.kind === "rest";
      const list = isRest ? node.rest : node.here;
      if (isRest) node.restRank = pathRank(pattern);
      else node.hereRank = pathRank(pattern);
      if (list.at(-1) !== compiled) list.push(compiled);
    }
  }
  return finishNode(root);
}

function stepInto(root: NodeDraft, pattern: PathPattern, isDecoded: boolean): NodeDraft {
  let node = root;
  for (const segment of pattern.segments) {
    if (segment.kind === "rest") break;
    let next: NodeDraft | undefined;
    if (segment.kind === "one") {
      next = node.one ?? emptyNode();
      node.one = next;
    } else {
      const text = isDecoded ? decode(segment.text) : segment.text;
      next = node.literals.get(text) ?? emptyNode();
      node.literals.set(text, next);
    }
    node = next;
  }
  return node;
}

function finishNode(draft: NodeDraft): PathNode {
  const literals = new Map<string, PathNode>();
  for (const [text, child] of draft.literals) literals.set(text, finishNode(child));
  return {
    literals,
    one: draft.one === undefined ? undefined : finishNode(draft.one),
    here: groupByMethod(draft.here, draft.hereRank),
    rest: groupByMethod(draft.rest, draft.restRank),
  };
}

function groupByMethod(rules: readonly CompiledRule[], rank: number): MethodGroups | undefined {
  if (rules.length === 0) return undefined;
  const byMethod = new Map<string, CompiledRule[]>();
  for (const compiled of rules) {
    for (const method of compiled.rule.methods ?? []) {
      const list = byMethod.get(method);
      if (list === undefined) byMethod.set(method, [compiled]);
      else list.push(compiled);
    }
  }
  const anyMethod = rules.filter(({ rule }) => rule.methods === undefined);
  const groups = new Map<string, RuleGroup>();
  for (const [method, list] of byMethod) groups.set(method, group(list));
  return {
    pathRank: rank,
    anyMethod: anyMethod.length === 0 ? undefined : group(anyMethod),
    byMethod: groups,
  };
}

function group(rules: readonly CompiledRule[]): RuleGroup {
  const grants = uniqueGrants(rules.flatMap(({ rule }) => rule.addresses));
  return { rules, grants, addressPolicy: makeAddressPolicy(false, grants, []) };
}
