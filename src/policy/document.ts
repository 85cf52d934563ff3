// Reads a policy document, YAML or JSON, version 1. Tells every problem at once, with its place and the right spelling.
// Never throws, and never gives a policy that has an error.

import { buildPolicy } from "./build-policy.ts";
import { readRule } from "./document-rule.ts";
import { type Fields, readFields, readLimits, readText, readWord, wrongType } from "./document-values.ts";
import { isFaster, resolveGuestLimits } from "./limits.ts";
import type { Limits, Policy, Rule } from "./policy.ts";
import {
  hasErrors,
  type Place,
  type PolicyProblem,
  type ProblemList,
  shown,
  sortProblems,
  startProblems,
} from "./problem.ts";
import { readSource, type SourceEntry, type SourceNode } from "./source.ts";

export { formatProblem, type PolicyProblem } from "./problem.ts";

/** How a document is read. */
export interface ParseOptions {
  /** Named in problems, and the policy's name comes from it when the document has none. */
  readonly file?: string;
  /** `insecure:allow-all` is an error rather than a warning. */
  readonly lint?: boolean;
}

/** A policy, or why there is none. */
export interface ParsedPolicy {
  /** Absent if and only if some problem is an error. */
  readonly policy?: Policy;
  /** In the order of the text. */
  readonly problems: readonly PolicyProblem[];
}

/** Reads a policy document. Warnings do not keep it from being used. */
export function parsePolicy(text: string, options: ParseOptions = {}): ParsedPolicy {
  const problems = startProblems(options.file);
  const root = readSource(text, problems);
  if (root === undefined && hasErrors(problems.problems))
    return { problems: sortProblems(problems.problems) };
  const parts =
    root === undefined || root.kind === "null" ? reportEmpty(problems) : readParts(root, options, problems);
  if (parts === undefined || hasErrors(problems.problems))
    return { problems: sortProblems(problems.problems) };
  const { file } = options;
  const policy = buildPolicy({ ...parts, ...(file === undefined ? {} : { file }) });
  return { policy, problems: sortProblems(problems.problems) };
}

interface DocumentParts {
  readonly name: string;
  readonly mode: "enforce" | "report";
  readonly rules: readonly Rule[];
  readonly limits: Limits;
}

const start: Place = { line: 1, column: 1 };

function reportEmpty(problems: ProblemList): undefined {
  const message = "the document is empty; a policy says at least its version";
  problems.error(start, {
    code: "missing_key",
    message,
    remedy: "version: 1, which denies everything until `rules` allow something",
  });
}

function readParts(
  root: SourceNode,
  options: ParseOptions,
  problems: ProblemList,
): DocumentParts | undefined {
  const fields = readFields(root, "document", problems);
  if (fields === undefined) return undefined;
  readVersion(root.place, fields, problems);
  const name = readName(fields, problems) ?? baseName(options.file);
  const mode = readWord(fields.get("mode"), ["enforce", "report"] as const, problems) ?? "enforce";
  const rules = readRules(root.place, fields, options, problems);
  const limits = readLimits(fields.get("limits"), problems);
  warnOfCutLimits(rules, limits, problems);
  return { name, mode, rules, limits };
}

function readVersion(place: Place, fields: Fields, problems: ProblemList): void {
  const entry = fields.get("version");
  const remedy = "version: 1";
  if (entry === undefined) {
    problems.error(place, { code: "missing_key", message: "the document has no `version`", remedy });
  } else if (entry.value.kind === "number" && entry.value.text !== "1") {
    const message = `this release reads version 1 of the language, not ${shown(entry.value.text)}`;
    problems.error(entry.value.place, { code: "wrong_value", message, remedy }, entry.value.text);
  } else if (entry.value.kind !== "number") {
    wrongType(entry.value, "the number `1`", remedy, problems);
  }
}

const nameLengthMax = 128;

function readName(fields: Fields, problems: ProblemList): string | undefined {
  const entry = fields.get("name");
  if (entry === undefined) return undefined;
  const name = readText(entry.value, "a name", problems);
  if (
    name === undefined ||
    (name !== "" && name.length <= nameLengthMax && !/\p{Cc}|\p{Zl}|\p{Zp}/u.test(name))
  )
    return name;
  const message = `${shown(name)} is not a name: 1 to ${nameLengthMax} characters in one line`;
  problems.error(entry.value.place, { code: "wrong_value", message, remedy: "name: weather-widget" }, name);
  return undefined;
}

function baseName(file: string | undefined): string {
  const name = (file ?? "")
    .replace(/^.*[/\\]/, "")
    .replace(/\.(?:ya?ml|json)$/i, "")
    .replace(/\p{Cc}/gu, "");
  return name === "" ? "policy" : name.slice(0, nameLengthMax);
}

function readRules(
  place: Place,
  fields: Fields,
  options: ParseOptions,
  problems: ProblemList,
): readonly Rule[] {
  const entry = fields.get("rules");
  const items = entry === undefined ? [] : ruleNodes(entry, problems);
  if (items === undefined) return [];
  const reading = { problems, lint: options.lint === true, ids: new Map<string, Place>() };
  const rules = items.map((item) => readRule(item, reading)).filter((rule) => rule !== undefined);
  if (rules.length === items.length && !rules.some((rule) => rule.effect === "allow")) {
    const message =
      items.length === 0 ? "the policy has no rules and denies everything" : "no rule allows anything";
    const finding = {
      code: "denies_everything" as const,
      message,
      remedy: "a rule with `id` and `to`, if something is to be allowed",
    };
    problems.warning(entry?.place ?? place, finding);
  }
  return rules;
}

function ruleNodes({ value }: SourceEntry, problems: ProblemList): readonly SourceNode[] | undefined {
  if (value.kind === "list") return value.items;
  // `rules:` with nothing behind it is what remains when all rules were taken out.
  if (value.kind === "null") return [];
  wrongType(value, "a list of rules", "rules:, and below it each rule after a `-`", problems);
  return undefined;
}

// Only what is written about the guest: defaults give way to rules (limits.ts).
function warnOfCutLimits(rules: readonly Rule[], written: Limits, problems: ProblemList): void {
  const guest = resolveGuestLimits(written, []);
  for (const rule of rules) {
    if (rule.effect === "deny") continue;
    for (const key of Object.keys(rule.limits) as readonly (keyof Limits)[]) {
      if (written[key] === undefined || !isCut(rule.limits, guest, key)) continue;
      const name = key.replace(/Bytes$|Ms$/, "");
      const message = `rule ${shown(rule.id)} has a wider \`${name}\` than the whole guest, whose limit holds as well`;
      const remedy = `a \`${name}\` that fits within the guest's`;
      problems.warning(rule.place, { code: "limit_cut", message, remedy });
    }
  }
}

function isCut(rule: Limits, guest: Required<Limits>, key: keyof Limits): boolean {
  if (key === "rate") return rule.rate !== undefined && isFaster(rule.rate, guest.rate);
  return (rule[key] ?? 0) > guest[key];
}
