// Path patterns: how they are read, what they match, and which request paths are too doubtful to be allowed.
import { describe, expect, test } from "vitest";
import { isAmbiguousPath, parsePathPattern, pathMatches, splitPath } from "../../src/policy/path-pattern.ts";
import { destinationOf } from "../support/arbitraries.ts";

function show(text: string): string {
  const parsed = parsePathPattern(text);
  if (!parsed.ok) return `error: ${parsed.error.remedy}`;
  const codes = parsed.value.warnings.map(({ code }) => code).join(", ");
  return codes === "" ? parsed.value.pattern.text : `${parsed.value.pattern.text} (${codes})`;
}

const read: readonly (readonly [string, string])[] = [
  ["/", "/"],
  ["/**", "/**"],
  ["/*", "/*"],
  ["/v1", "/v1"],
  ["/v1/", "/v1/"],
  ["/v1/**", "/v1/**"],
  ["/v1/*/items/*", "/v1/*/items/*"],
  ["/a%20b", "/a%20b"],
  ["/users/:id", "/users/:id"],
  ["/%7euser", "/~user (not_canonical)"],
  ["/caf%c3%a9", "/caf%C3%A9 (not_canonical)"],
  ["/café/**", "/caf%C3%A9/** (not_canonical)"],
  ["/{id}", "/%7Bid%7D (not_canonical)"],
  ["", "error: / for the root alone, /** for every path"],
  ["v1", "error: /v1"],
  ["**", "error: /**"],
  ["https://api.example.com/v1/*", "error: /v1/*"],
  ["https://api.example.com", "error: /**"],
  ["/v1?x=1", "error: /v1"],
  ["/v1#top", "error: /v1"],
  ["/v1/file?.txt", "error: /v1/file"],
  ["/v1//x", "error: /v1/x"],
  ["//", "error: /"],
  ["/v1%2Fx", "error: /v1/x"],
  ["/v1%2fx", "error: /v1/x"],
  ["/v1%5Cx", "error: /v1/x"],
  ["/v1%00", "error: /v1"],
  ["/v1\\x", "error: /v1/x"],
  ["/v1/./x", "error: /v1/x"],
  ["/v1/../x", "error: /x"],
  ["/v1/%2e%2E/x", "error: /x"],
  ["/v*", "error: /*"],
  ["/v1/*.json", "error: /v1/*"],
  ["/v1/***", "error: /v1/**"],
  ["/**/x", "error: /**"],
  ["/v1/**/x/**", "error: /v1/**"],
  ["/v1/**/", "error: /v1/**"],
  ["/100%", "/100%25 (not_canonical)"],
  ["/a b", "error: /a%20b"],
  ["/a\tb", "error: /a%09b"],
];

describe("a path pattern", () => {
  for (const [text, expected] of read) {
    test(`${JSON.stringify(text)} is ${expected}`, () => expect(show(text)).toBe(expected));
  }
});

const matches: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["/", ["/", ""], ["/v1"]],
  ["/*", ["/v1", "/%2A"], ["/", "/v1/", "/v1/x"]],
  ["/**", ["/", "/v1", "/v1/", "/v1/x"], []],
  ["/v1", ["/v1", "/%76%31", "/x/../v1"], ["/v1/", "/v1/x", "/V1", "/"]],
  ["/v1/", ["/v1/"], ["/v1", "/v1/x"]],
  ["/v1/*", ["/v1/x", "/v1/x?y=/z"], ["/v1", "/v1/", "/v1/x/", "/v1/x/y"]],
  ["/v1/**", ["/v1", "/v1/", "/v1/x", "/v1/x/y/", "/v1/../v1/x"], ["/", "/v2", "/v10", "/v1/../v2"]],
  ["/v1/*/items", ["/v1/x/items"], ["/v1/items", "/v1//items", "/v1/x/y/items", "/v1/x/items/"]],
  ["/v1/*/", ["/v1/x/"], ["/v1//", "/v1/x"]],
  ["/caf%C3%A9", ["/café", "/caf%c3%a9"], ["/cafe"]],
  ["/a%20b", ["/a%20b"], ["/a+b", "/ab"]],
  ["/a;b", ["/a;b"], ["/a%3Bb", "/a"]],
];

describe("a path pattern matches the normalised path", () => {
  for (const [text, yes, no] of matches) {
    const parsed = parsePathPattern(text);
    const fits = (path: string): boolean =>
      parsed.ok &&
      pathMatches(parsed.value.pattern, splitPath(destinationOf(`https://h.example${path}`).path));
    for (const path of yes)
      test(`${text} matches ${path === "" ? "no path at all" : path}`, () => expect(fits(path)).toBe(true));
    for (const path of no) test(`${text} does not match ${path}`, () => expect(fits(path)).toBe(false));
  }
});

describe("a request path that servers read in several ways", () => {
  for (const path of [
    "/a%2Fb",
    "/a%2fb",
    "/a%5Cb",
    "/a%5cb",
    "/a%00",
    "//",
    "/a//b",
    "/a//",
    "//a",
    "/a%2F",
  ]) {
    test(`${path} is ambiguous`, () => expect(isAmbiguousPath(path)).toBe(true));
  }
  for (const path of ["/", "/a", "/a/", "/a%20b", "/a%252Fb", "/a%2Eb", "/a:b"]) {
    test(`${path} is not`, () => expect(isAmbiguousPath(path)).toBe(false));
  }
});
