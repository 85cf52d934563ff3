// Reads the host of a pattern: a name, a wildcard in front of a name, an IP literal or a range of them. Exact hosts go through
// the one URL parser, so that a rule and a request can never disagree about a spelling.

import { err, ok, type Result } from "../core/result.ts";
import { classifyAddress } from "../url/address-range.ts";
import { parseDestination, type Scheme } from "../url/destination.ts";
import { canonicalName, isSpecialUseName } from "../url/host-name.ts";
import { parseCidr } from "../url/ip-address.ts";
import { confusableFinding } from "./confusable-name.ts";
import type { HostPattern } from "./policy.ts";
import { type Finding, shown } from "./problem.ts";

interface ParsedHost {
  readonly host: HostPattern;
  readonly warnings: readonly Finding[];
}

/** Reads a host; `portText` is only for remedies. */
export function parseHostPattern(
  scheme: Scheme,
  text: string,
  portText: string,
): Result<ParsedHost, Finding> {
  const spell = (host: string): string => `${scheme}://${host}${portText}`;
  if (text === "**") return ok({ host: { kind: "any_name" }, warnings: [] });
  if (text.includes("*")) return parseWildcard(text, spell);
  if (text.includes("/")) return parseRange(text, spell);
  return parseExact(scheme, text, spell);
}

/** A host in canonical form, with the brackets that it has in a pattern. */
export function hostPatternText(host: HostPattern): string {
  switch (host.kind) {
    case "exact":
      return host.name;
    case "ip":
      return host.text.includes(":") ? `[${host.text}]` : host.text;
    case "one_label":
      return `*.${host.suffix}`;
    case "labels":
      return `**.${host.suffix}`;
    case "any_name":
      return "**";
    case "cidr":
      return host.cidr.family === 6 ? `[${host.cidr.text}]` : host.cidr.text;
  }
}

type Spell = (host: string) => string;

function parseWildcard(text: string, spell: Spell): Result<ParsedHost, Finding> {
  const match = /^(\*{1,2})\.([^*]+)$/.exec(text);
  if (match === null) return misplacedWildcard(text, spell);
  const [, stars = "", suffixText = ""] = match;
  const suffix = canonicalName(suffixText);
  if (!suffix.ok) {
    const isAddress = /^[0-9.]+$/.test(suffixText);
    const message = isAddress
      ? `${shown(text)} is a wildcard over addresses; a wildcard never matches an IP address`
      : `${shown(suffixText)} is not a host name: ${suffix.error}`;
    return invalid(message, isAddress ? spell("10.0.0.0/8") : spell(`${stars}.example.com`));
  }
  const warnings: Finding[] = [];
  if (isSpecialUseName(suffix.value)) {
    warnings.push({
      code: "never_matches",
      message: `${shown(text)} matches nothing: a wildcard never matches special-use names such as those in \`.${lastLabel(suffix.value)}\``,
      remedy: `the names one by one, such as ${spell(`cache.${suffix.value}`)}`,
    });
  } else if (!suffix.value.includes(".")) {
    warnings.push({
      code: "wide_pattern",
      message: `${shown(text)} covers names of everyone under the top-level domain \`${suffix.value}\``,
      remedy: spell(`${stars}.example.${suffix.value}`),
    });
  }
  warnings.push(...confusableFinding(suffixText, suffix.value));
  const kind = stars === "*" ? "one_label" : "labels";
  return ok({ host: { kind, suffix: suffix.value }, warnings });
}

function misplacedWildcard(text: string, spell: Spell): Result<never, Finding> {
  if (text === "*") {
    return invalid(
      "`*` stands for one label in front of a name; `**` alone is every public-looking name",
      spell("**"),
    );
  }
  const labels = text.split(".");
  const lastStar = labels.findLastIndex((label) => label.includes("*"));
  const suffix = labels.slice(lastStar + 1).join(".");
  const inFront = /^(\*{1,2})([^*.][^*]*)$/.exec(text);
  const message = `${shown(text)} has a wildcard in another place than in front: \`*.\` is one label, \`**.\` is one or more`;
  if (inFront !== null) return invalid(message, spell(`${inFront[1]}.${inFront[2]}`));
  if (!canonicalName(suffix).ok) return invalid(message, "the names one by one, as a list of patterns");
  return invalid(message, `${spell(`${lastStar === 0 ? "*" : "**"}.${suffix}`)}, or the names one by one`);
}

function parseRange(text: string, spell: Spell): Result<ParsedHost, Finding> {
  const bracketed = text.startsWith("[");
  const cidr = parseCidr(bracketed ? text.slice(1, -1) : text);
  if (!cidr.ok) {
    const [message = "", meant] = cidr.error.split("; write ");
    const remedy = meant === undefined ? "10.0.0.0/8" : meant;
    return invalid(
      `${shown(text)} is not an address range: ${message}`,
      spell(remedy.includes(":") ? `[${remedy}]` : remedy),
    );
  }
  if (bracketed !== (cidr.value.family === 6)) {
    const right = cidr.value.family === 6 ? `[${cidr.value.text}]` : cidr.value.text;
    return invalid("brackets are for IPv6 and for nothing else", spell(right));
  }
  return ok({ host: { kind: "cidr", cidr: cidr.value }, warnings: [] });
}

function parseExact(scheme: Scheme, text: string, spell: Spell): Result<ParsedHost, Finding> {
  if (text.startsWith(".")) {
    const meant = canonicalName(text.slice(1));
    const remedy = spell(`**.${meant.ok ? meant.value : "example.com"}`);
    return invalid(
      `${shown(text)} starts with a dot; \`**.\` is a name with one or more labels in front`,
      remedy,
    );
  }
  // A request may spell its host with `%61`; a rule that does so can only be meant to mislead its reader.
  const parsed = text.includes("%") ? undefined : parseDestination(`${scheme}://${text}/`);
  if (parsed === undefined || !parsed.ok) {
    const why = canonicalName(text);
    const isZone = text.startsWith("[") && text.includes("%");
    const reason = isZone
      ? "zone ids are refused"
      : why.ok || text.startsWith("[")
        ? "the URL parser refuses it"
        : why.error;
    const remedy = text.startsWith("[")
      ? "[2001:db8::1]"
      : /[{},|]/.test(text)
        ? "api.example.com, one pattern for each name"
        : "api.example.com";
    return invalid(`${shown(text)} is not a host: ${reason}`, spell(remedy));
  }
  const { host } = parsed.value;
  if (host.kind === "name") {
    return ok({ host: { kind: "exact", name: host.name }, warnings: confusableFinding(text, host.name) });
  }
  const isRefused = classifyAddress(host.ip) === "embedded_ipv4";
  const refusal: Finding = {
    code: "never_matches",
    message: `${shown(text)} holds an IPv4 address in an IPv6 one; such addresses are always refused`,
    remedy: "the IPv4 address itself",
  };
  return ok({ host: { kind: "ip", text: host.ip.text }, warnings: isRefused ? [refusal] : [] });
}

function lastLabel(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function invalid(message: string, remedy: string): { readonly ok: false; readonly error: Finding } {
  return err({ code: "invalid_pattern", message, remedy });
}
