// Everything that a server might take a request path for. Only deny rules look at it: a deny rule is met when any reading of
// the path meets it, an allow rule never on a reading of ours.

import { bounds } from "../core/bounds.ts";

/**
 * All texts that a chain of servers could make of `path`: percent-decoded once or repeatedly, wholly or with encoded slashes
 * kept, backslashes taken for slashes, cut at a NUL, dot segments walked, empty segments dropped, in any order. Percent
 * signs of the result are literal. `undefined` when there are more than `bounds.pathDecodingsMax`: no honest client
 * sends such a path, so whoever asks must expect the worst.
 */
export function decodings(path: string): ReadonlySet<string> | undefined {
  if (!/[%\\]|\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return new Set([path]);
  // The path as it stands is no reading unless it has nothing to decode: patterns are compared decoded once.
  const readings = new Set([decode(path), decodeKeepingSlashes(path)]);
  // A set's iterator also visits what is added on the way.
  for (const reading of readings) {
    for (const step of steps) {
      readings.add(step(reading));
      if (readings.size > bounds.pathDecodingsMax) return undefined;
    }
  }
  return readings;
}

/** Percent-decoded once, one character for each octet: the form in which deny patterns are compared. */
export function decode(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, octetCharacter);
}

// Servers that decode a path after having split it keep `%2F` within its segment.
function decodeKeepingSlashes(text: string): string {
  return text.replace(/%(?!2[Ff]|5[Cc]|00)[0-9A-Fa-f]{2}/g, octetCharacter);
}

function octetCharacter(octet: string): string {
  return String.fromCharCode(Number.parseInt(octet.slice(1), 16));
}

const steps: readonly ((text: string) => string)[] = [
  decode,
  decodeKeepingSlashes,
  // IIS and the URL standard.
  (text) => text.replaceAll("\\", "/"),
  // Whatever hands the path to C.
  (text) => (text.includes("\0") ? text.slice(0, Math.max(text.indexOf("\0"), 1)) : text),
  // nginx merges slashes by default.
  (text) => text.replace(/\/{2,}/g, "/"),
  walkDotSegments,
];

// RFC 3986 section 5.2.4.
function walkDotSegments(text: string): string {
  if (!/\/\.{1,2}(?:\/|$)/.test(text)) return text;
  const walked: string[] = [];
  const segments = text.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment === "..") walked.pop();
    else if (segment !== ".") walked.push(segment);
    if ((segment === ".." || segment === ".") && index === segments.length - 1) walked.push("");
  }
  return `/${walked.join("/")}`;
}
