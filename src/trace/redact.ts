// URLs made fit for spans, logs and terminals: no userinfo, no query value, no fragment, whatever the spelling.
// Never used to build a request: what comes out of here is for reading only.

import { bounds } from "../core/bounds.ts";
import { boundText, escapeControls } from "../core/record-text.ts";
import { type Destination, resolveLocation } from "../url/destination.ts";

const redacted = "REDACTED";

/**
 * The URL of a destination with query keys but no query values, at most `bounds.recordTextMax` characters.
 * INVARIANT (no secrets): a destination has no userinfo and no fragment, and what follows a `=` is never kept.
 */
export function redactUrl(destination: Pick<Destination, "origin" | "path" | "query">): string {
  const { origin, path, query } = destination;
  const text = query === "" ? origin + path : `${origin}${path}?${redactQuery(query.slice(1))}`;
  return boundText(escapeControls(text), bounds.recordTextMax);
}

function redactQuery(query: string): string {
  const parts = query.split("&", bounds.recordedQueryKeysMax + 1);
  const shown = parts.slice(0, bounds.recordedQueryKeysMax).map(redactParameter);
  return (parts.length > shown.length ? [...shown, redacted] : shown).join("&");
}

// Brackets are commonly encoded (`filter%5Bname%5D`); any other escape in a key can hide a separator and a value.
const namelike = /^(?:[A-Za-z0-9_.~$:[\]-]|%5[BbDd])+$/;

function redactParameter(parameter: string): string {
  if (parameter === "") return "";
  const equals = parameter.indexOf("=");
  // Without a `=` there is no telling a key from a value: `?<token>` is how some services take a token.
  if (equals === -1) return redacted;
  const key = parameter.slice(0, equals);
  const value = parameter.slice(equals + 1);
  // `?c2VjcmV0LXZhbHVlIQ==` has a `=` but no key: it is padding.
  const lengthMax = value === "" ? bounds.recordedEmptyKeyLengthMax : bounds.recordedQueryKeyLengthMax;
  if (/^=+$/.test(value) || key.length > lengthMax || !namelike.test(key)) return redacted;
  return `${key}=${redacted}`;
}

/**
 * What may be written down of a text that is no destination: its scheme, host and path as far as they are beyond doubt.
 * Everything up to the last `@` goes, everything from the first `?` or `#` goes, and all of it where the two overlap;
 * encoded and full-width spellings of the three count. At most `bounds.recordTextMax` characters, on one line.
 */
export function redactText(text: string): string {
  if (text.length > bounds.redactedTextMax) return redacted;
  const plain = unmask(text);
  if (plain === undefined) return redacted;
  // The text as it was written tells the operator more, but only where decoding brings no new separator to light.
  const source = separatorsOf(plain) === separatorsOf(text) ? text : plain;
  const { start, rest } = splitScheme(source);
  const lastAt = rest.lastIndexOf("@");
  const firstCut = rest.search(/[?#]/);
  const end = firstCut === -1 ? rest.length : firstCut;
  // `user:pass?word@host` and `host?mail=a@b` look the same: neither side of such a text is safe.
  const shown = lastAt > end ? redacted : rest.slice(lastAt + 1, end);
  return boundText(escapeControls(start + shown), bounds.recordTextMax);
}

/**
 * The target of a redirect as it may be written down: resolved against `base` where it can be, else by `redactText`.
 */
export function redactLocation(base: Destination, location: string): string {
  const resolved = resolveLocation(base, location);
  return resolved.ok ? redactUrl(resolved.value) : redactText(location);
}

function separatorsOf(text: string): string {
  return text.replace(/[^@?#]/g, "");
}

const decodingRoundsMax = 4;

// The text as the most lenient reader could take it: without the characters that the URL standard removes, decoded
// until nothing is left to decode (`%2540` is an `@` to two proxies in a row), in compatibility form (full-width `@`).
// Undefined when it does not settle: nobody encodes five times by accident.
function unmask(text: string): string | undefined {
  let current = text;
  for (let round = 0; round <= decodingRoundsMax; round += 1) {
    const next = current
      .replace(/[\t\n\r]/g, "")
      .replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeOctets)
      .normalize("NFKC");
    if (next === current) return current;
    current = next;
  }
  return undefined;
}

const decoder = new TextDecoder();

function decodeOctets(octets: string): string {
  const bytes = Array.from({ length: octets.length / 3 }, (_, index) =>
    Number.parseInt(octets.slice(index * 3 + 1, index * 3 + 3), 16),
  );
  return decoder.decode(Uint8Array.from(bytes));
}

// A list and not a pattern, since `token:x-oauth@host` begins like a scheme, too.
const knownSchemes =
  /^(?:https?|wss?|ftps?|sftp|ssh|file|gopher|ldaps?|data|blob|javascript|mailto|tel|urn|about|git|s3|gs|unix|redis|amqp):/i;

function splitScheme(text: string): { readonly start: string; readonly rest: string } {
  const scheme = knownSchemes.exec(text)?.[0] ?? "";
  // Slashes stay as they were written: missing ones are what makes many a URL invalid.
  const slashes = /^[/\\]*/.exec(text.slice(scheme.length))?.[0] ?? "";
  const start = scheme + slashes;
  // What follows `data:` or `mailto:` is content and no destination.
  const opaque = scheme !== "" && slashes === "" && !/^(?:https?|wss?|ftps?):$/i.test(scheme);
  return { start, rest: opaque ? redacted : text.slice(start.length) };
}
