// Names as policies write them, one test a row.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalName, checkName, isPublicLookingName, isSpecialUseName } from "../../src/url/host-name.ts";
import { destinationOf, names } from "../support/arbitraries.ts";

const good: readonly (readonly [text: string, name: string])[] = [
  ["api.example.com", "api.example.com"],
  ["API.Example.COM", "api.example.com"],
  ["api.example.com.", "api.example.com"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
  ["ａｐｉ.example", "api.example"],
  ["api。example", "api.example"],
  ["localhost", "localhost"],
  ["_acme.example", "_acme.example"],
  ["1.2.3.4.example", "1.2.3.4.example"],
];

const bad: readonly (readonly [text: string, message: string])[] = [
  ["", "empty"],
  [".", "empty"],
  ["a..b", "empty label"],
  [".a", "empty label"],
  ["a..", "empty label"],
  [`${"a".repeat(64)}.b`, "longer than 63"],
  [`${"a.".repeat(127)}b`, "longer than 253"],
  ["*.example", "other characters"],
  ["a*b.example", "other characters"],
  ["a~b.example", "other characters"],
  ["-a.example", "hyphen"],
  ["a-.example", "hyphen"],
  ["ab--cd.example", "reserved"],
  ["xn--a.example", "A-label"],
  ["xn--0", "A-label"],
  ["127.0.0.1", "IP address 127.0.0.1"],
  ["0x7f.1", "IP address 127.0.0.1"],
  ["2130706433", "IP address 127.0.0.1"],
  ["１２７.1", "IP address 127.0.0.1"],
  ["a.1", "internationalised"],
  ["a b", "cannot stand"],
  ["a\tb", "cannot stand"],
  ["a\n", "cannot stand"],
  ["a/b", "cannot stand"],
  ["a?b", "cannot stand"],
  ["a#b", "cannot stand"],
  ["a@b", "cannot stand"],
  ["a:80", "cannot stand"],
  ["[::1]", "cannot stand"],
  ["a\\b", "cannot stand"],
  ["%61.example", "cannot stand"],
  ["a／b", "internationalised"],
  ["a\ud800", "Unicode"],
];

describe("canonicalName", () => {
  for (const [text, name] of good) {
    test(`${JSON.stringify(text)} is ${name}`, () => {
      expect(canonicalName(text)).toEqual({ ok: true, value: name });
    });
  }
  for (const [text, message] of bad) {
    test(`${JSON.stringify(text.slice(0, 40))} is refused: ${message}`, () => {
      const result = canonicalName(text);
      expect(result.ok ? result.value : result.error).toContain(message);
      expect(result.ok).toBe(false);
    });
  }

  test("is a fixed point, and the name that the parser of URLs gives", () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(canonicalName(name)).toEqual({ ok: true, value: name });
        expect(destinationOf(`https://${name}/`).hostText).toBe(name);
      }),
    );
  });

  test("never throws, and takes no text that the parser of URLs reads as another name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
        const result = canonicalName(text);
        fc.pre(result.ok);
        expect(destinationOf(`https://${text}/`).hostText).toBe(result.value);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("checkName", () => {
  // No text gets the parser of URLs to say these, so they are asked for directly.
  for (const name of ["a.1", "a.0x4", "0x", "1", "a.12."]) {
    test(`refuses ${name}, whose last label is a number`, () => {
      expect(checkName(name)).toMatchObject({ ok: false, error: "the last label is a number" });
    });
  }
});

describe("special-use names", () => {
  const special = [
    "localhost",
    "app.localhost",
    "printer.local",
    "kubernetes.default.svc.cluster.local",
    "metadata.google.internal",
    "internal",
    "nas.lan",
    "wiki.corp",
    "api.default.svc",
    "router.home.arpa",
    "1.0.0.127.in-addr.arpa",
    "a.test",
    "abc.onion",
    "a.invalid",
    "localhost.localdomain",
    "nas.home",
    "wiki.intranet",
    "a.private",
    "a.alt",
  ];
  for (const name of special) {
    test(`${name} is one, and looks like no public name`, () => {
      expect(isSpecialUseName(name)).toBe(true);
      expect(isPublicLookingName(name)).toBe(false);
    });
  }
  const open = [
    "example.com",
    "a.example",
    "local.example",
    "localhost.example",
    "xlocal.com",
    "my-internal.dev",
  ];
  for (const name of open) {
    test(`${name} is none, and looks like a public name`, () => {
      expect(isSpecialUseName(name)).toBe(false);
      expect(isPublicLookingName(name)).toBe(true);
    });
  }
  test("a single label looks like no public name, special or not", () => {
    expect(isPublicLookingName("com")).toBe(false);
    expect(isPublicLookingName("kubernetes")).toBe(false);
    expect(isSpecialUseName("kubernetes")).toBe(false);
  });
});
