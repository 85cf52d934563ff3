// Host names in canonical form: A-labels, lower case, no trailing dot. Names only: an IP address is never one,
// in any spelling, so that no rule about names can be met by an address.

import { domainToASCII, domainToUnicode } from "node:url";
import { bounds } from "../core/bounds.ts";
import { err, ok, type Result } from "../core/result.ts";
import { parseIp } from "./ip-address.ts";

/**
 * The canonical form of a name as a person writes it in a policy: any case, Unicode or A-labels, with
 * or without one trailing dot. The error is a sentence part that says what is wrong.
 */
export function canonicalName(text: string): Result<string, string> {
  if (text === "") return err("the host name is empty");
  // node:url would read a URL's host out of these: it stops at `/`, decodes `%61` and drops tabs.
  const foreign = /[^!-~\u0080-\uffff]|[/?#@:[\]%\\]/.exec(text);
  if (foreign !== null) return err(`${JSON.stringify(foreign[0])} cannot stand in a host name`);
  if (!text.isWellFormed()) return err("the host name is not valid Unicode");
  const ascii = domainToASCII(text);
  if (ascii === "") return err("the host name is not a valid internationalised name");
  if (parseIp(ascii) !== undefined) return err(`this is a spelling of the IP address ${ascii}`);
  return checkName(ascii);
}

/**
 * Checks a name that the URL parser has already brought to ASCII and lower case, and takes its one
 * trailing dot off. The URL standard keeps much that no resolver agrees on: empty labels, `*`,
 * labels of any length, A-labels that decode to nothing.
 */
export function checkName(ascii: string): Result<string, string> {
  const name = ascii.endsWith(".") ? ascii.slice(0, -1) : ascii;
  if (name === "") return err("the host name is empty");
  if (name.length > bounds.hostLengthMax) {
    return err(`the host name is longer than ${bounds.hostLengthMax} characters`);
  }
  const labels = name.split(".");
  for (const label of labels) {
    const fault = labelFault(label);
    if (fault !== undefined) return err(fault);
  }
  // RFC 1123 section 2.1: what ends in a number is an address to some resolvers and a name to others.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) return err("the last label is a number");
  return ok(name);
}

/**
 * Names that never lead to the public internet (RFC 6761, RFC 8375, RFC 9476, ICANN's `internal`,
 * and the names that private networks made up), with everything below them.
 */
export function isSpecialUseName(name: string): boolean {
  return specialUseNames.has(name.slice(name.lastIndexOf(".") + 1));
}

/** Two labels or more and not a special-use name: what `**` may match. */
export function isPublicLookingName(name: string): boolean {
  return name.includes(".") && !isSpecialUseName(name);
}

const specialUseNames: ReadonlySet<string> = new Set([
  "alt",
  // Nothing below arpa serves HTTP to the public; home.arpa is a private network (RFC 8375).
  "arpa",
  "corp",
  "home",
  "internal",
  "intranet",
  "invalid",
  "lan",
  "local",
  "localdomain",
  "localhost",
  "onion",
  "private",
  "svc",
  "test",
]);

function labelFault(label: string): string | undefined {
  if (label === "") return "the host name has an empty label";
  if (label.length > bounds.labelLengthMax) {
    return `a label of the host name is longer than ${bounds.labelLengthMax} characters`;
  }
  // `_` is no host name character (RFC 952), yet names that serve HTTP have it.
  if (!/^[a-z0-9_-]+$/.test(label))
    return `label ${JSON.stringify(label)} has other characters than a-z 0-9 - _`;
  if (label.startsWith("-") || label.endsWith("-")) return `label ${label} starts or ends with a hyphen`;
  if (label.startsWith("xn--")) return isALabel(label) ? undefined : `label ${label} is not a valid A-label`;
  // RFC 5891 section 4.2.3.1 reserves these; a later encoding would give them another meaning.
  if (label.slice(2, 4) === "--") return `label ${label} is reserved by RFC 5891`;
  return undefined;
}

// Node passes A-labels through unread when the whole name is ASCII (`xn--a`, `xn--0`); other programs
// refuse them or decode them to something else.
function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label);
  return unicode !== label && domainToASCII(unicode) === label;
}
