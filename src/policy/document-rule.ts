// Reads one rule of a document. Every part of it is read even when another part is wrong, so that one reading tells everything.

import { grantText, grantWarning, parseAddressGrant } from "./addresses.ts";
import {
  type Fields,
  readBoolean,
  readFields,
  readLimits,
  readText,
  readTexts,
  readWord,
} from "./document-values.ts";
import { checkMethod } from "./method.ts";
import { parsePathPattern } from "./path-pattern.ts";
import { everythingText, parsePattern } from "./pattern.ts";
import type { AddressGrant, Effect, PathPattern, Pattern, Rule } from "./policy.ts";
import { type Finding, type Place, type ProblemList, shown } from "./problem.ts";
import type { SourceNode } from "./source.ts";

/** What the reading of one rule shares with that of the others. */
export interface RuleReading {
  readonly problems: ProblemList;
  /** `insecure:allow-all` is an error. */
  readonly lint: boolean;
  /** Where each id was first seen. */
  readonly ids: Map<string, Place>;
}

/** Reads a rule; `undefined` when it lacks what a rule cannot do without, which was reported. */
export function readRule(node: SourceNode, reading: RuleReading): Rule | undefined {
  const { problems } = reading;
  const fields = readFields(node, "rule", problems);
  if (fields === undefined) return undefined;
  const effect = readWord(fields.get("effect"), ["allow", "deny"] as const, problems) ?? "allow";
  const to = readTo(node.place, fields, effect, reading);
  const id = readId(node.place, fields, to, reading);
  const methods = readMethods(fields, problems);
  const paths = readPaths(fields, problems);
  const addresses = readAddresses(fields, problems);
  const limits = readLimits(fields.get("limits"), problems);
  const redirects = readWord(fields.get("redirects"), ["follow", "return"] as const, problems);
  const traceparent = readBoolean(fields.get("traceparent"), problems) ?? false;
  if (effect === "deny") warnOfNoEffect(fields, problems);
  else if (to !== undefined && addresses.length === 0)
    warnOfMissingGrants(to, fields.get("to")?.value.place ?? node.place, problems);
  if (id === undefined || to === undefined) return undefined;
  return {
    id,
    effect,
    to,
    ...(methods === undefined ? {} : { methods }),
    ...(paths === undefined ? {} : { paths }),
    addresses,
    limits,
    ...(redirects === undefined ? {} : { redirects }),
    traceparent,
    place: fields.get("id")?.place ?? node.place,
  };
}

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function readId(
  place: Place,
  fields: Fields,
  to: readonly Pattern[] | undefined,
  { problems, ids }: RuleReading,
): string | undefined {
  const entry = fields.get("id");
  if (entry === undefined) {
    const message = "the rule has no `id`; records and explanations name rules by it";
    problems.error(place, { code: "missing_key", message, remedy: `id: ${idFrom(to?.[0]?.text ?? "")}` });
    return undefined;
  }
  const id = readText(entry.value, "an id", problems);
  if (id === undefined) return undefined;
  if (!idPattern.test(id)) {
    const message = `${shown(id)} is not an id: 1 to 64 letters, digits, \`.\`, \`_\` and \`-\`, the first one a letter or digit`;
    problems.error(entry.value.place, { code: "invalid_id", message, remedy: `id: ${idFrom(id)}` }, id);
    return undefined;
  }
  const first = ids.get(id);
  if (first !== undefined) {
    const message = `the id ${shown(id)} belongs to the rule in line ${first.line} already`;
    problems.error(
      entry.value.place,
      { code: "duplicate_id", message, remedy: `id: ${id.slice(0, 60)}-2` },
      id,
    );
    return undefined;
  }
  ids.set(id, entry.value.place);
  return id;
}

function idFrom(text: string): string {
  const id = text
    .replace(/^https?:\/\//, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "")
    .slice(0, 64);
  return idPattern.test(id) ? id : "my-rule";
}

function readTo(
  place: Place,
  fields: Fields,
  effect: Effect,
  reading: RuleReading,
): readonly Pattern[] | undefined {
  const { problems } = reading;
  const entry = fields.get("to");
  const example = "https://api.example.com";
  if (entry === undefined) {
    const message = "the rule has no `to`; a rule without destinations would match nothing";
    problems.error(place, { code: "missing_key", message, remedy: `to: ${example}` });
    return undefined;
  }
  const texts = readTexts(entry, { what: "patterns", example, single: true }, problems);
  const patterns: Pattern[] = [];
  for (const { text, place: textPlace } of texts ?? []) {
    const parsed = parsePattern(text);
    if (!parsed.ok) {
      for (const finding of parsed.error) problems.error(textPlace, finding, text);
      continue;
    }
    const { pattern, warnings } = parsed.value;
    for (const warning of warnings) problems.warning(textPlace, warning, text);
    if (pattern.kind === "everything") reportEverything(textPlace, effect, reading);
    if (patterns.some((known) => known.text === pattern.text)) {
      const message = `${shown(text)} is \`${pattern.text}\`, which stands in \`to\` already`;
      problems.warning(textPlace, { code: "duplicate_entry", message, remedy: "it once" }, text);
    }
    patterns.push(pattern);
  }
  return texts === undefined ? undefined : patterns;
}

function reportEverything(place: Place, effect: Effect, { problems, lint }: RuleReading): void {
  const finding = everythingFinding(effect);
  if (lint && effect === "allow") problems.error(place, finding, everythingText);
  else problems.warning(place, finding, everythingText);
}

/** What is said about `insecure:allow-all`, in whatever way it was given. */
export function everythingFinding(effect: Effect): Finding {
  const code = "insecure_allow_all";
  if (effect === "deny") {
    return {
      code,
      message: `\`${everythingText}\` in a deny rule denies every destination`,
      remedy: "the destinations to deny",
    };
  }
  const message = `\`${everythingText}\` allows every destination and every address, this machine's own and the cloud's metadata included`;
  return {
    code,
    message,
    remedy: "the destinations that are needed, or https://** for every public-looking name",
  };
}

function readMethods(fields: Fields, problems: ProblemList): readonly string[] | undefined {
  const texts = readTexts(fields.get("methods"), { what: "methods", example: "GET" }, problems);
  for (const { text, place } of texts ?? []) {
    const checked = checkMethod(text);
    if (!checked.ok) problems.error(place, checked.error, text);
    for (const warning of checked.ok ? checked.value : []) problems.warning(place, warning, text);
  }
  return texts?.map(({ text }) => text);
}

function readPaths(fields: Fields, problems: ProblemList): readonly PathPattern[] | undefined {
  const texts = readTexts(fields.get("paths"), { what: "path patterns", example: "/v1/**" }, problems);
  if (texts === undefined) return undefined;
  const paths: PathPattern[] = [];
  for (const { text, place } of texts) {
    const parsed = parsePathPattern(text);
    if (parsed.ok) paths.push(parsed.value.pattern);
    else problems.error(place, parsed.error, text);
    for (const warning of parsed.ok ? parsed.value.warnings : []) problems.warning(place, warning, text);
  }
  return paths;
}

function readAddresses(fields: Fields, problems: ProblemList): readonly AddressGrant[] {
  const example = "10.0.0.0/8";
  const texts = readTexts(fields.get("addresses"), { what: "address ranges", example }, problems);
  const grants: AddressGrant[] = [];
  for (const { text, place } of texts ?? []) {
    const parsed = parseAddressGrant(text);
    if (!parsed.ok) {
      problems.error(place, parsed.error, text);
      continue;
    }
    grants.push(parsed.value);
    const warning = grantWarning(parsed.value);
    if (warning !== undefined) problems.warning(place, warning, text);
    const canonical = grantText(parsed.value);
    if (canonical !== text && canonical.slice(0, canonical.indexOf("/")) !== text) {
      const message = `${shown(text)} is not in canonical form`;
      problems.warning(place, { code: "not_canonical", message, remedy: canonical }, text);
    }
  }
  return grants;
}

function warnOfNoEffect(fields: Fields, problems: ProblemList): void {
  for (const key of ["limits", "redirects", "traceparent"]) {
    const entry = fields.get(key);
    if (entry === undefined) continue;
    const message = `\`${key}\` has no effect in a deny rule, which lets nothing through`;
    problems.warning(entry.place, { code: "no_effect", message, remedy: `the rule without \`${key}\`` }, key);
  }
}

// RFC 6761 section 6.3: these names lead to loopback addresses, which are refused unless granted.
function warnOfMissingGrants(to: readonly Pattern[], place: Place, problems: ProblemList): void {
  for (const pattern of to) {
    if (pattern.kind !== "destination" || pattern.host.kind !== "exact") continue;
    if (!/(?:^|\.)localhost$/.test(pattern.host.name)) continue;
    const message = `\`${pattern.host.name}\` leads to loopback addresses, and the rule grants none`;
    problems.warning(place, { code: "grant_missing", message, remedy: "addresses: [loopback]" });
  }
}
