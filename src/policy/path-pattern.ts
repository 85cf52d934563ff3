// Path patterns of a rule and what they match. Patterns and request paths meet in one normal form, the URL parser's;
// nothing here decodes a request path (path-decoding.ts does, for deny rules alone).

import { bounds } from "../core/bounds.ts";
import { err, ok, type Result } from "../core/result.ts";
import { parseDestination } from "../url/destination.ts";
import type { PathPattern, PathSegment } from "./policy.ts";
import { type Finding, shown } from "./problem.ts";

/** A path pattern and what is doubtful about it. */
export interface ParsedPathPattern {
  readonly pattern: PathPattern;
  readonly warnings: readonly Finding[];
}

/**
 * Reads a path pattern: segments led by `/`; `*` is one segment that is not empty, `**` as the last segment is any
 * rest, also none. A trailing slash counts.
 */
export function parsePathPattern(text: string): Result<ParsedPathPattern, Finding> {
  const fault = shapeFault(text) ?? ambiguityFault(text);
  if (fault !== undefined) return err(fault);
  const written = text.slice(1).split("/");
  const segments: PathSegment[] = [];
  for (const [index, segment] of written.entries()) {
    const parsed = parseSegment(segment, index === written.length - 1, text);
    if (!parsed.ok) return parsed;
    segments.push(parsed.value);
  }
  const canonical = pathText(segments);
  if (canonical.length > bounds.urlBytesMax) {
    return invalid(
      `the path is longer than the ${bounds.urlBytesMax} bytes of the longest URL`,
      "a shorter path with `**`",
    );
  }
  const warnings: Finding[] = [];
  if (canonical !== text) {
    const message = `${shown(text)} is not in the normal form that request paths are brought to`;
    warnings.push({ code: "not_canonical", message, remedy: canonical });
  }
  return ok({ pattern: { text: canonical, segments }, warnings });
}

/** The segments of a normalised request path; a trailing slash gives an empty last one. */
export function splitPath(path: string): readonly string[] {
  return path.slice(1).split("/");
}

/**
 * Whether servers read this path in more than one way: an encoded slash, backslash or NUL, or an empty segment
 * before the last. INVARIANT (doubt denies): such a path meets no allow rule that has `paths`.
 */
export function isAmbiguousPath(path: string): boolean {
  return path.includes("//") || path.includes("\\") || /%(?:2f|5c|00)/i.test(path);
}

/** Whether a pattern matches the segments of a path. */
export function pathMatches(pattern: PathPattern, segments: readonly string[]): boolean {
  for (const [index, segment] of pattern.segments.entries()) {
    if (segment.kind === "rest") return true;
    const text = segments[index];
    if (text === undefined) return false;
    if (segment.kind === "one" ? text === "" : text !== segment.text) return false;
  }
  return segments.length === pattern.segments.length;
}

function shapeFault(text: string): Finding | undefined {
  const url = /^https?:\/\/[^/]*(\/[^?#]*)?/i.exec(text);
  if (url !== null) {
    return fault(`${shown(text)} is a URL; scheme, host and port belong into \`to\``, url[1] ?? "/**");
  }
  if (/[?#]/.test(text)) {
    const path = text.slice(0, text.search(/[?#]/));
    const message = `${shown(text)} has a query or a fragment; rules do not look at them, and \`?\` is no wildcard`;
    return fault(message, path.startsWith("/") ? path : `/${path}`);
  }
  if (text.includes("\\")) return fault(`${shown(text)} has a backslash`, text.replaceAll("\\", "/"));
  if (text === "")
    return fault("a path starts with `/`; this one is empty", "/ for the root alone, /** for every path");
  if (!text.startsWith("/")) return fault(`${shown(text)} does not start with \`/\``, `/${text}`);
  return undefined;
}

function ambiguityFault(text: string): Finding | undefined {
  if (text.includes("//")) {
    const message = `${shown(text)} has an empty segment; no request path with one matches a rule that has \`paths\``;
    return fault(message, text.replace(/\/{2,}/g, "/"));
  }
  const encoded = /%(?:2f|5c|00)/i.exec(text)?.[0];
  if (encoded === undefined) return undefined;
  const message = `${shown(text)} has ${shown(encoded)}; no request path with it matches a rule that has \`paths\``;
  return fault(
    message,
    text
      .replace(/%(?:2f|5c)/gi, "/")
      .replaceAll("%00", "")
      .replace(/\/{2,}/g, "/"),
  );
}

function parseSegment(segment: string, isLast: boolean, whole: string): Result<PathSegment, Finding> {
  if (segment === "*") return ok({ kind: "one" });
  if (segment === "**") {
    if (isLast) return ok({ kind: "rest" });
    const message = `${shown(whole)} has \`**\` before its end; \`**\` is any rest and stands last`;
    return invalid(message, whole.slice(0, whole.indexOf("**") + 2));
  }
  if (segment.includes("*")) {
    const message = `${shown(segment)} has a wildcard within a segment; \`*\` is a whole segment, \`**\` any rest`;
    return invalid(message, whole.replace(segment, /^\*+$/.test(segment) ? "**" : "*"));
  }
  if (/^(?:\.|%2e){1,2}$/i.test(segment)) {
    const resolved = parseDestination(`http://path.invalid${whole}`);
    const message = `${shown(whole)} has a dot segment; request paths never have one`;
    return invalid(message, resolved.ok ? resolved.value.path : "/**");
  }
  // Through the one parser, so that a rule means the paths that it shows, however a request spells them.
  const parsed = parseDestination(`http://path.invalid/${segment}`);
  if (parsed.ok) return ok({ kind: "literal", text: parsed.value.path.slice(1) });
  const message = `${shown(segment)} cannot stand in a path: a space, a control character or a \`%\` without two hex digits`;
  return invalid(message, whole.replace(/%(?![0-9a-f]{2})/gi, "%25").replace(/\s|\p{Cc}/gu, encodeControl));
}

function encodeControl(character: string): string {
  return character.charCodeAt(0) < 0x80
    ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
    : "";
}

function pathText(segments: readonly PathSegment[]): string {
  const texts = segments.map((segment) =>
    segment.kind === "literal" ? segment.text : segment.kind === "one" ? "*" : "**",
  );
  return `/${texts.join("/")}`;
}

function fault(message: string, remedy: string): Finding {
  return { code: "invalid_path", message, remedy };
}

function invalid(message: string, remedy: string): { readonly ok: false; readonly error: Finding } {
  return err(fault(message, remedy));
}
