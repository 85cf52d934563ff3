// The one parser: text to destination. Every later step works with what this file returns, and nothing may
// read a guest's URL a second time, or in another way.

import { bounds } from "../core/bounds.ts";
import { err, ok, type Result } from "../core/result.ts";
import { checkName } from "./host-name.ts";
import { type IpAddress, parseIp } from "./ip-address.ts";
import { hasDotSegment, normalisePercentEncoding } from "./percent-encoding.ts";

/** The schemes that exist for guests. */
export type Scheme = "http" | "https";

/** Whom a request is for. A name is in A-labels, lower case, without a trailing dot. */
export type Host =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "ipv4" | "ipv6"; readonly ip: IpAddress };

/** The normal form of where a request goes. Frozen; two spellings of a URL give equal destinations. */
export interface Destination {
  readonly scheme: Scheme;
  readonly host: Host;
  /** The name, or the address unbracketed. */
  readonly hostText: string;
  /** 1 to 65535; the scheme's default is filled in. */
  readonly port: number;
  /** For the Host header: brackets around IPv6, `:port` only when it is not the scheme's default. */
  readonly authority: string;
  /** `scheme://authority`. */
  readonly origin: string;
  /** Normalised; starts with `/`; without `.` and `..` segments. */
  readonly path: string;
  /** Empty, or `?` and at least one character; normalised. */
  readonly query: string;
  /** `origin`, `path` and `query` in one; at most `bounds.urlBytesMax` bytes, all ASCII. */
  readonly url: string;
}

/** Why a text is not a destination. */
export interface UrlFault {
  readonly reason: "invalid_url" | "credentials_in_url" | "scheme_not_allowed";
  /** For the operator; never contains userinfo or the query. */
  readonly detail: string;
}

/**
 * Reads an absolute URL. Total: anything at all gives a destination or a fault. The URL standard's parser
 * does the reading; before and after it stands what its leniency would let two programs read in two ways.
 * Of several faults the first in this order is told: characters, scheme, authority, host, path and query.
 * A fragment is dropped, and so is a `?` with nothing behind it.
 */
export function parseDestination(text: unknown): Result<Destination, UrlFault> {
  if (typeof text !== "string") return invalid("the URL is not a string");
  const fault = textFault(text) ?? schemeFault(text) ?? authorityFault(text);
  if (fault !== undefined) return err(fault);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return invalid("the host or port is not valid");
  }
  const host = readHost(url.hostname);
  if (!host.ok) return host;
  const path = normalisePercentEncoding(url.pathname, "path");
  const query = normalisePercentEncoding(url.search, "query");
  return assemble(url.protocol === "https:" ? "https" : "http", host.value, url.port, path, query);
}

/**
 * Reads a `Location` header as received (RFC 9110 section 10.2.2), absolute or relative to `base`, by the same
 * rules: what `parseDestination` refuses in a URL is refused here as well. An empty location, or one of a
 * fragment alone, is `base` itself.
 */
export function resolveLocation(base: Destination, location: string): Result<Destination, UrlFault> {
  const text = decodeHeaderText(location);
  if (text === undefined) return invalid("the location is neither ASCII nor UTF-8");
  const fault = textFault(text);
  if (fault !== undefined) return err(fault);
  if (leadingScheme.test(text)) return parseDestination(text);
  // RFC 3986 section 5.2.2, and the result goes through the parser like any other text.
  if (text.startsWith("//")) return parseDestination(`${base.scheme}:${text}`);
  if (text.startsWith("/")) return parseDestination(base.origin + text);
  if (text.startsWith("?")) return parseDestination(base.origin + base.path + text);
  if (text === "" || text.startsWith("#")) return ok(base);
  return parseDestination(base.origin + base.path.slice(0, base.path.lastIndexOf("/") + 1) + text);
}

// All of printable ASCII but space and `\`, and everything beyond ASCII, is let through.
const notInUrl = /[^!-[\]-~\u0080-\uffff]/;
const leadingScheme = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const defaultPorts: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

function invalid(detail: string): { readonly ok: false; readonly error: UrlFault } {
  return err({ reason: "invalid_url", detail });
}

function textFault(text: string): UrlFault | undefined {
  const tooLong = text.length > bounds.urlBytesMax || Buffer.byteLength(text) > bounds.urlBytesMax;
  if (tooLong) return { reason: "invalid_url", detail: `the URL is longer than ${bounds.urlBytesMax} bytes` };
  // The URL standard drops tabs and line ends anywhere, trims the rest, and reads `\` as `/` where RFC 3986
  // clients read a user name: `https://good\@evil`.
  if (notInUrl.test(text)) {
    return { reason: "invalid_url", detail: "the URL has a control character, a space or a backslash" };
  }
  // Half of a surrogate pair would be replaced by U+FFFD, so that different texts became one URL.
  if (!text.isWellFormed()) return { reason: "invalid_url", detail: "the URL is not valid Unicode" };
  return undefined;
}

function schemeFault(text: string): UrlFault | undefined {
  const scheme = leadingScheme.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { reason: "invalid_url", detail: "the URL has no scheme" };
  if (scheme !== "http" && scheme !== "https") {
    return { reason: "scheme_not_allowed", detail: "the scheme is neither http nor https" };
  }
  return undefined;
}

// The URL standard reads `http:x`, `http:/x` and `http:///x` as http://x, and takes credentials from before the last `@`.
function authorityFault(text: string): UrlFault | undefined {
  const start = text.indexOf(":") + 1;
  if (!text.startsWith("//", start))
    return { reason: "invalid_url", detail: "the URL has no // behind its scheme" };
  const authority = /^[^/?#]*/.exec(text.slice(start + 2))?.[0] ?? "";
  if (authority === "") return { reason: "invalid_url", detail: "the URL has no host" };
  if (authority.includes("@"))
    return { reason: "credentials_in_url", detail: "the URL has an @ in front of its host" };
  // An empty port is the default one (RFC 3986 section 6.2.3), and leading zeros are decimal to everyone: both are
  // left to the parser. Port 0 it would keep.
  if (/:0+$/.test(authority)) return { reason: "invalid_url", detail: "the port is 0" };
  return undefined;
}

function readHost(hostname: string): Result<Host, UrlFault> {
  const bracketed = hostname.startsWith("[");
  const ip = parseIp(bracketed ? hostname.slice(1, -1) : hostname);
  if (ip !== undefined) {
    // INVARIANT (mapped is IPv4): `[::ffff:127.0.0.1]` is 127.0.0.1 for rules, for dialling and in records.
    return ok(Object.freeze({ kind: ip.family === 4 ? "ipv4" : "ipv6", ip }));
  }
  const name = checkName(hostname);
  return name.ok ? ok(Object.freeze({ kind: "name", name: name.value })) : invalid(name.error);
}

function assemble(
  scheme: Scheme,
  host: Host,
  portText: string,
  path: string,
  query: string,
): Result<Destination, UrlFault> {
  const hostText = host.kind === "name" ? host.name : host.ip.text;
  const bracketed = host.kind === "ipv6" ? `[${hostText}]` : hostText;
  const authority = portText === "" ? bracketed : `${bracketed}:${portText}`;
  const origin = `${scheme}://${authority}`;
  const url = origin + path + query;
  if (url.length > bounds.urlBytesMax) {
    return invalid(`the URL in normal form is longer than ${bounds.urlBytesMax} bytes`);
  }
  // INVARIANT (one parse): whoever reads our text again reads what we decided on. Nothing is known that
  // gets here and fails, so a failure is a hole in the rules above, and stays shut.
  if (hasDotSegment(path) || !reproduces(url, bracketed, portText, path, query)) {
    return invalid("the URL has no stable normal form");
  }
  const port = portText === "" ? defaultPorts[scheme] : Number(portText);
  return ok(Object.freeze({ scheme, host, hostText, port, authority, origin, path, query, url }));
}

function reproduces(url: string, hostname: string, port: string, path: string, query: string): boolean {
  const again = URL.parse(url);
  return (
    again !== null &&
    again.hostname === hostname &&
    again.port === port &&
    again.pathname === path &&
    again.search === query
  );
}

// Header values arrive as one character an octet; servers that do not encode their locations send UTF-8.
function decodeHeaderText(text: string): string | undefined {
  if (!/[\u0080-\u00ff]/.test(text) || /[\u0100-\uffff]/.test(text)) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, "latin1"));
  } catch {
    return undefined;
  }
}
