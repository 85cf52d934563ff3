// The policy language once more, as slow and plain as it can be written: a list scan over strings, from the description of the
// language alone. Never shares code with src/policy; the laws hold the two against each other.
import type { Destination } from "../../src/url/destination.ts";
import { isSpecialUseName } from "../../src/url/host-name.ts";

/** A rule as a document has it, every list written out, patterns in canonical form. */
export interface PlainRule {
  readonly id: string;
  readonly effect: "allow" | "deny";
  readonly to: readonly string[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly addresses?: readonly string[];
}

/** What the language says about a request. */
export interface NaiveDecision {
  readonly effect: "allow" | "deny";
  readonly reason?: string;
  readonly rule?: string;
  readonly everything: boolean;
  readonly grants: readonly string[];
  readonly deniedBy: readonly string[];
}

type Part = string | number;

/** Judges a request by looking at every pattern of every rule. */
export function decideNaively(
  rules: readonly PlainRule[],
  method: string,
  destination: Destination,
): NaiveDecision {
  const nothing = { everything: false, grants: [], deniedBy: [] };
  if (["CONNECT", "TRACE", "TRACK"].includes(method.toUpperCase())) {
    return { effect: "deny", reason: "method_not_allowed", ...nothing };
  }
  const order = ["scheme", "host", "port", "method", "path"];
  let furthest = -1;
  const allows: { rule: PlainRule; pattern: string; key: Part[] }[] = [];
  const denies: { rule: PlainRule; key: Part[] }[] = [];
  const deniedBy = new Set<string>();
  for (const rule of rules) {
    for (const pattern of rule.to) {
      const failed = failedPart(rule, pattern, method, destination);
      if (rule.effect === "allow" && failed !== "") furthest = Math.max(furthest, order.indexOf(failed));
      if (failed !== "") continue;
      if (rule.effect === "allow")
        allows.push({ rule, pattern, key: specificity(rule, pattern, destination) });
      else if (rule.addresses !== undefined) deniedBy.add(rule.id);
      else denies.push({ rule, key: specificity(rule, pattern, destination) });
    }
  }
  const grants = new Set<string>();
  for (const { rule, pattern } of allows) {
    for (const address of rule.addresses ?? []) grants.add(address);
    const host = hostOf(pattern);
    if (isLiteral(host)) grants.add(`${unbracket(host)}/${host.includes(":") ? 128 : 32}`);
  }
  const addresses = {
    everything: allows.some(({ pattern }) => pattern === "insecure:allow-all"),
    grants: [...grants].sort(),
    deniedBy: [...deniedBy].sort(),
  };
  const deny = first(denies);
  if (deny !== undefined) return { effect: "deny", reason: "rule_denied", rule: deny, ...addresses };
  const allow = first(allows);
  if (allow !== undefined) return { effect: "allow", rule: allow, ...addresses };
  const isName = destination.host.kind === "name";
  const hostReason = isName ? "host_not_allowed" : "ip_literal_not_allowed";
  const part = order[furthest];
  const reason = part === undefined || part === "host" ? hostReason : `${part}_not_allowed`;
  return { effect: "deny", reason, ...addresses };
}

function first(matches: readonly { rule: PlainRule; key: Part[] }[]): string | undefined {
  const sorted = [...matches].sort((a, b) => compareKeys([...a.key, a.rule.id], [...b.key, b.rule.id]));
  return sorted[0]?.rule.id;
}

function compareKeys(a: readonly Part[], b: readonly Part[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? "";
    if (part < other) return -1;
    if (part > other) return 1;
  }
  return 0;
}

function failedPart(rule: PlainRule, pattern: string, method: string, destination: Destination): string {
  if (pattern !== "insecure:allow-all") {
    if (!pattern.startsWith(`${destination.scheme}://`)) return "scheme";
    if (!hostFits(hostOf(pattern), destination)) return "host";
    const [low, high] = portsOf(pattern);
    if (destination.port < low || destination.port > high) return "port";
  }
  if (rule.methods !== undefined && !rule.methods.includes(method)) return "method";
  if (rule.paths === undefined) return "";
  return matchingPaths(rule, destination.path).length === 0 ? "path" : "";
}

function hostOf(pattern: string): string {
  return /^https?:\/\/(\[[^\]]*\]|[^:]*)/.exec(pattern)?.[1] ?? "";
}

function portsOf(pattern: string): [number, number] {
  const text = /^https?:\/\/(?:\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(pattern)?.[1];
  if (text === undefined) return pattern.startsWith("https") ? [443, 443] : [80, 80];
  if (text === "*") return [1, 65_535];
  const [low = "", high = low] = text.split("-");
  return [Number(low), Number(high)];
}

function unbracket(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

function isLiteral(host: string): boolean {
  return /^[0-9.]+$/.test(host) || /^\[[^/]*\]$/.test(host);
}

function hostFits(host: string, destination: Destination): boolean {
  const { hostText } = destination;
  const isName = destination.host.kind === "name";
  const mayBeWild = isName && hostText.includes(".") && !isSpecialUseName(hostText);
  if (host === "**") return mayBeWild;
  if (host.startsWith("**.")) return mayBeWild && hostText.endsWith(host.slice(2));
  if (host.startsWith("*.")) return mayBeWild && hostText.split(".").slice(1).join(".") === host.slice(2);
  if (host.includes("/")) return !isName && inRange(hostText, unbracket(host));
  return hostText === unbracket(host);
}

/** The bits of an address as a text of zeros and ones. */
export function bitsOf(address: string): string {
  if (!address.includes(":")) {
    return address
      .split(".")
      .map((octet) => Number(octet).toString(2).padStart(8, "0"))
      .join("");
  }
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...gap, ...right]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}

/** Whether an address is in a CIDR range. */
export function inRange(address: string, range: string): boolean {
  const [start = "", prefix] = range.split("/");
  const bits = bitsOf(start);
  const own = bitsOf(address);
  const length = Number(prefix ?? bits.length);
  return own.length === bits.length && own.slice(0, length) === bits.slice(0, length);
}

function matchingPaths(rule: PlainRule, path: string): readonly string[] {
  const paths = rule.paths ?? [];
  if (rule.effect === "allow") {
    if (/%2f|%5c|%00/i.test(path) || path.includes("//")) return [];
    return paths.filter((pattern) => regexOf(pattern, (text) => text).test(path));
  }
  const readings = allReadings(path);
  return paths.filter((pattern) => readings.some((reading) => regexOf(pattern, decoded).test(reading)));
}

function regexOf(pattern: string, read: (text: string) => string): RegExp {
  const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
  const parts = pattern
    .split("/")
    .slice(1)
    .map((segment) => {
      if (segment === "**") return "(?:/[^]*)?";
      return segment === "*" ? "/[^/]+" : `/${escaped(read(segment))}`;
    });
  return new RegExp(`^${parts.join("")}$`);
}

function decoded(text: string): string {
  return text
    .split(/(%[0-9a-fA-F]{2})/)
    .map((part, index) => (index % 2 === 1 ? String.fromCharCode(Number.parseInt(part.slice(1), 16)) : part))
    .join("");
}

// Whatever any chain of servers makes of it: until nothing new comes up.
function allReadings(path: string): readonly string[] {
  const keepSlashes = (text: string): string =>
    text
      .split(/(%2[fF]|%5[cC]|%00)/)
      .map((part, index) => (index % 2 === 1 ? part : decoded(part)))
      .join("");
  const changes = [
    decoded,
    keepSlashes,
    (text: string): string => text.split("\\").join("/"),
    (text: string): string => text.split("\0")[0] ?? "",
    (text: string): string => text.replace(/\/+/g, "/"),
    withoutDots,
  ];
  let readings = [decoded(path), keepSlashes(path)];
  for (;;) {
    const more = new Set([
      ...readings,
      ...readings.flatMap((reading) => changes.map((change) => change(reading))),
    ]);
    if (more.size === new Set(readings).size) return readings;
    readings = [...more];
  }
}

function withoutDots(text: string): string {
  let rest = text;
  let before = "";
  while (before !== rest) {
    before = rest;
    rest = rest.replace(/\/\.(?=\/|$)/, (_, at: number) => (at + 2 === rest.length ? "/" : ""));
    if (before !== rest) continue;
    const at = /\/\.\.(?=\/|$)/.exec(rest)?.index;
    if (at === undefined) break;
    const tail = rest.slice(at + 3);
    rest = rest.slice(0, Math.max(rest.slice(0, at).lastIndexOf("/"), 0)) + (tail === "" ? "/" : tail);
  }
  return rest;
}

function specificity(rule: PlainRule, pattern: string, destination: Destination): Part[] {
  const host = hostOf(pattern);
  const hostKey: Part[] =
    pattern === "insecure:allow-all"
      ? [5, 0]
      : host.includes("/")
        ? [4, -Number(unbracket(host).split("/")[1])]
        : host === "**"
          ? [3, 0]
          : host.startsWith("**.")
            ? [2, -host.length]
            : [host.startsWith("*.") ? 1 : 0, 0];
  const [low, high] = pattern === "insecure:allow-all" ? [1, 65_535] : portsOf(pattern);
  const pathKeys = matchingPaths(rule, destination.path).map(pathKey).sort(compareKeys);
  return [
    ...hostKey,
    high - low,
    ...(pathKeys[0] ?? [1, 0, 0, 0]),
    rule.methods === undefined ? 1_000 : new Set(rule.methods).size,
  ];
}

function pathKey(pattern: string): Part[] {
  const segments = pattern.split("/").slice(1);
  const literals = segments.filter((segment) => segment !== "*" && segment !== "**").length;
  const kind = segments.includes("**") ? 2 : segments.includes("*") ? 1 : 0;
  return [0, -literals, kind, -segments.length];
}
