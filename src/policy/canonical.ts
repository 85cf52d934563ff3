// One text for everything that enforces the same: for the hash by which records name a policy. Names, places, spellings,
// comments, order and keys without effect leave no trace in it.

import { grantText, uniqueGrants } from "./addresses.ts";
import type { Limits, Rule } from "./policy.ts";

/** The canonical text, JSON in a fixed key order. Limits stand as they were written, in base units. */
export function canonicalText(mode: string, rules: readonly Rule[], limits: Limits): string {
  const sorted = rules.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return JSON.stringify({ version: 1, mode, limits: sortedKeys(limits), rules: sorted.map(canonicalRule) });
}

function canonicalRule(rule: Rule): object {
  const isAllow = rule.effect === "allow";
  return {
    id: rule.id,
    effect: rule.effect,
    to: sortedOnce(rule.to.map(({ text }) => text)),
    methods: rule.methods === undefined ? undefined : sortedOnce(rule.methods),
    paths: rule.paths === undefined ? undefined : sortedOnce(rule.paths.map(({ text }) => text)),
    addresses: rule.addresses.length === 0 ? undefined : uniqueGrants(rule.addresses).map(grantText),
    limits: isAllow && Object.keys(rule.limits).length > 0 ? sortedKeys(rule.limits) : undefined,
    redirects: isAllow ? rule.redirects : undefined,
    traceparent: isAllow && rule.traceparent ? true : undefined,
  };
}

function sortedOnce(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}

function sortedKeys(limits: Limits): object {
  const { rate, ...numbers } = limits;
  const entries = Object.entries(numbers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...Object.fromEntries(entries),
    ...(rate === undefined ? {} : { rate: [rate.count, rate.perMs] }),
  };
}
