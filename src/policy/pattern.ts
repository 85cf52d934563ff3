// Reads the `scheme://host[:port]` part of a rule. Parsed once into a sum type; what is written in another than the canonical
// form is understood only where the URL parser understands it in the same way. Never guesses: a doubtful pattern is an error.

import { err, ok, type Result } from "../core/result.ts";
import type { Scheme } from "../url/destination.ts";
import { parseCidr, parseIp } from "../url/ip-address.ts";
import { hostPatternText, parseHostPattern } from "./pattern-host.ts";
import type { Pattern } from "./policy.ts";
import { type Finding, shown } from "./problem.ts";
import { nearestWord } from "./spelling.ts";

/** The predecessor's word for a pattern that matches every destination and grants every address. */
export const everythingText = "insecure:allow-all";

/** A pattern and what is doubtful about it. */
export interface ParsedPattern {
  readonly pattern: Pattern;
  readonly warnings: readonly Finding[];
}

const defaultPorts: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/** Reads one pattern and tells all that is wrong with it; remedies are patterns that are right, wherever one can be told. */
export function parsePattern(text: string): Result<ParsedPattern, readonly Finding[]> {
  if (text === everythingText) return ok({ pattern: { kind: "everything", text }, warnings: [] });
  const parts = splitPattern(text);
  if (!parts.ok) return err([parts.error]);
  const { scheme, hostText, portText, path } = parts.value;
  const host = parseHostPattern(scheme, hostText, portText);
  const origin = `${scheme}://${host.ok ? hostPatternText(host.value.host) : "api.example.com"}`;
  const ports = parsePorts(portText, scheme, origin);
  const findings: Finding[] = [];
  if (!host.ok) findings.push(host.error);
  if (!ports.ok) findings.push(ports.error);
  if (path !== "" && path !== "/") findings.push(unexpectedPath(origin + (ports.ok ? portText : ""), path));
  if (!host.ok || !ports.ok || findings.length > 0) return err(findings);
  const { portFirst, portLast } = ports.value;
  const canonical = origin + portsText(scheme, portFirst, portLast);
  const warnings = [...host.value.warnings];
  if (canonical !== text && `${canonical}/` !== text) {
    const message = `${shown(text)} is not in canonical form`;
    warnings.unshift({ code: "not_canonical", message, remedy: canonical });
  }
  const pattern = {
    kind: "destination" as const,
    text: canonical,
    scheme,
    host: host.value.host,
    portFirst,
    portLast,
  };
  return ok({ pattern, warnings });
}

interface PatternParts {
  readonly scheme: Scheme;
  /** A name, a wildcard, an IPv4 address or range, or a bracketed IPv6 address or range. */
  readonly hostText: string;
  /** With its colon; empty when there is none. */
  readonly portText: string;
  /** What follows; only a slash is right. */
  readonly path: string;
}

function splitPattern(text: string): Result<PatternParts, Finding> {
  if (/[^!-[\]-~\u0080-\uffff]/.test(text) || text === "") {
    const trimmed = text.trim().replaceAll("\\", "/");
    const isRepaired = trimmed !== "" && !/[^!-~\u0080-\uffff]/.test(trimmed);
    const message = `${shown(text)} has a space, a backslash or a control character, or is empty`;
    return invalid(
      message,
      isRepaired ? trimmed : "https://api.example.com, one pattern for each entry of the list",
    );
  }
  const match = /^([^:/?#[\]@]*):\/\/(.*)$/s.exec(text);
  if (match === null) return missingScheme(text);
  const [, schemeText = "", rest = ""] = match;
  const scheme = schemeText.toLowerCase();
  if (scheme !== "http" && scheme !== "https") return wrongScheme(text, scheme, rest);
  return splitAuthority(scheme, rest);
}

function splitAuthority(scheme: Scheme, rest: string): Result<PatternParts, Finding> {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  if (authority.includes("@")) {
    const message = "a pattern has no user name or password; requests with them are always refused";
    return invalid(message, `${scheme}://${rest.slice(authority.lastIndexOf("@") + 1)}`);
  }
  if (parseIp(authority)?.family === 6 || /^[0-9a-f:]+::?\/\d+$/i.test(rest)) {
    const range = parseCidr(rest);
    return invalid("an IPv6 address stands in brackets", `${scheme}://[${range.ok ? rest : authority}]`);
  }
  const bracketed = /^(\[[^\]]*\])(.*)$/s.exec(rest);
  if (rest.startsWith("[") && bracketed === null) {
    return invalid("a bracket is open", `${scheme}://${authority.replace(/(?::\*?)?$/, "]")}`);
  }
  // `10.0.0.0/8` is a range and not a host with a path; what follows decides.
  const range = /^([0-9][0-9.]*\/[0-9]+)((?::[^/?#]*)?\/?)$/.exec(rest);
  const plain = /^([^:/?#]*)(.*)$/s.exec(rest);
  const [, hostText = "", tail = ""] = bracketed ?? range ?? plain ?? [];
  const portText = /^:[^/?#]*/.exec(tail)?.[0] ?? "";
  const path = tail.slice(portText.length);
  if (hostText === "") return invalid("the host is missing", `${scheme}://api.example.com`);
  if (bracketed !== null && /^\/[0-9]+(?::[^/]*)?\/?$/.test(path)) {
    const prefix = /[0-9]+/.exec(path)?.[0] ?? "";
    const remedy = `${scheme}://${hostText.slice(0, -1)}/${prefix}]${portText}`;
    return invalid("the prefix of an IPv6 range stands inside the brackets", remedy);
  }
  return ok({ scheme, hostText, portText, path });
}

function unexpectedPath(origin: string, tail: string): Finding {
  const path = /^[^?#]*/.exec(tail)?.[0] ?? "";
  const code = "invalid_pattern";
  if (path === "" || path === "/") {
    const part = tail.includes("?") ? "query" : "fragment";
    return { code, message: `a pattern has no ${part}; rules look at \`paths\` alone`, remedy: origin };
  }
  const message = `a pattern ends with its port; the path ${shown(path)} belongs into \`paths\``;
  return { code, message, remedy: `to: ${origin} and, below it, paths: [${path}]` };
}

function missingScheme(text: string): Result<never, Finding> {
  if (text === "*" || text === "**") {
    const message = `${shown(text)} has no scheme, and \`*\` alone matches nothing`;
    return invalid(message, "https://** for every public-looking name");
  }
  if (/^insecure\b|allow-all/i.test(text)) {
    return invalid(
      `${shown(text)} is not a pattern`,
      `${everythingText}, if every destination is really meant`,
    );
  }
  const slashes = /^(https?):\/?([^/].*)$/i.exec(text);
  if (slashes !== null) {
    return invalid(
      `${shown(text)} lacks the \`//\` behind its scheme`,
      `${slashes[1]?.toLowerCase()}://${slashes[2]}`,
    );
  }
  const rest = text.replace(/^\/+/, "");
  const scheme = /:80$/.test(rest) ? "http" : "https";
  const host = parseIp(rest)?.family === 6 ? `[${rest}]` : rest;
  return invalid(`${shown(text)} has no scheme`, `${scheme}://${host}`);
}

function wrongScheme(text: string, scheme: string, rest: string): Result<never, Finding> {
  if (/[*?{|()]/.test(scheme)) {
    const host = rest === "*" || rest === "*:*" ? "**" : rest;
    const message = `${shown(text)} names no one scheme; each scheme is a pattern of its own`;
    return invalid(message, `https://${host} and, if unencrypted requests are meant too, http://${host}`);
  }
  const meant =
    scheme === "ws"
      ? "http"
      : scheme === "wss"
        ? "https"
        : (nearestWord(scheme, ["http", "https"]) ?? "https");
  const problem = scheme === "" ? "the scheme is missing" : `the scheme is ${shown(scheme)}`;
  return invalid(`${problem}; only \`http\` and \`https\` exist for guests`, `${meant}://${rest}`);
}

interface PortRange {
  readonly portFirst: number;
  readonly portLast: number;
}

const portMax = 65_535;

function parsePorts(portText: string, scheme: Scheme, origin: string): Result<PortRange, Finding> {
  const text = portText.slice(1);
  if (portText === "") return ok({ portFirst: defaultPorts[scheme], portLast: defaultPorts[scheme] });
  if (text === "*") return ok({ portFirst: 1, portLast: portMax });
  if (text === "") return invalid("there is a colon and no port behind it", origin);
  // Number() would take `0x50`, `+80` and `8e1`; a port is digits.
  const match = /^([0-9]+)(?:(-|\.\.)([0-9]+))?$/.exec(text);
  if (match === null) {
    const ports = text.match(/[0-9]+/g);
    const remedy = ports === null ? `${origin}:8443` : ports.map((port) => `${origin}:${port}`).join(" and ");
    return invalid(`${shown(portText)} is not a port, a range of ports or \`:*\``, remedy);
  }
  const portFirst = Number(match[1]);
  const portLast = match[3] === undefined ? portFirst : Number(match[3]);
  if (match[2] === "..") {
    const message = `${shown(portText)} is not a range of ports; a range is written with a hyphen and holds both ends`;
    return invalid(message, `${origin}:${portFirst}-${portLast}`);
  }
  if (portFirst < 1 || portLast < 1 || portFirst > portMax || portLast > portMax) {
    return invalid(`${shown(portText)} is outside of the ports 1 to ${portMax}`, origin);
  }
  if (portFirst > portLast) {
    return invalid(`the range ${shown(portText)} is upside down`, `${origin}:${portLast}-${portFirst}`);
  }
  return ok({ portFirst, portLast });
}

function portsText(scheme: Scheme, portFirst: number, portLast: number): string {
  if (portFirst === 1 && portLast === portMax) return ":*";
  if (portFirst !== portLast) return `:${portFirst}-${portLast}`;
  return portFirst === defaultPorts[scheme] ? "" : `:${portFirst}`;
}

function invalid(message: string, remedy: string): { readonly ok: false; readonly error: Finding } {
  return err({ code: "invalid_pattern", message, remedy });
}
