// Patterns: what each one is understood as, and what is said about the ones that are wrong or doubtful.
import { describe, expect, test } from "vitest";
import { parsePattern } from "../../src/policy/pattern.ts";

/** Canonical text with the codes of warnings, or `error: ` with the remedies. */
function show(text: string): string {
  const parsed = parsePattern(text);
  if (!parsed.ok) return `error: ${parsed.error.map(({ remedy }) => remedy).join("; ")}`;
  const codes = parsed.value.warnings.map(({ code }) => code).join(", ");
  return codes === "" ? parsed.value.pattern.text : `${parsed.value.pattern.text} (${codes})`;
}

const canonical = [
  "https://api.example.com",
  "http://api.example.com",
  "https://api.example.com:8443",
  "http://api.example.com:443",
  "https://api.example.com:80",
  "https://api.example.com:8000-8999",
  "https://api.example.com:*",
  "https://*.example.com",
  "https://**.example.com:8443",
  "https://**",
  "http://**:8080",
  "http://localhost:3000",
  "http://cache",
  "http://printer.local",
  "http://metadata.google.internal",
  "https://under_score.example.com",
  "https://xn--bcher-kva.example",
  "http://192.168.0.1",
  "https://[2001:db8::1]:8443",
  "http://[::1]:8080",
  "http://10.0.0.0/8",
  "http://10.0.0.0/8:8080",
  "http://10.0.0.0/8:8000-8999",
  "https://[2001:db8::/32]",
  "https://[2001:db8::/32]:*",
  "http://0.0.0.0/0",
  "https://[::/0]",
  "http://10.0.0.1/32",
  "insecure:allow-all",
];

describe("a pattern in canonical form", () => {
  for (const text of canonical) {
    test(`${text} is understood as it stands`, () => expect(show(text)).toBe(text));
  }
});

const tolerated: readonly (readonly [string, string])[] = [
  ["https://api.example.com/", "https://api.example.com"],
  ["http://10.0.0.0/8/", "http://10.0.0.0/8"],
  ["https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"],
  ["https://**/", "https://**"],
  ["HTTPS://api.example.com", "https://api.example.com (not_canonical)"],
  ["https://API.Example.COM", "https://api.example.com (not_canonical)"],
  ["https://api.example.com.", "https://api.example.com (not_canonical)"],
  ["https://bücher.example", "https://xn--bcher-kva.example (not_canonical)"],
  ["https://*.bücher.example", "https://*.xn--bcher-kva.example (not_canonical)"],
  ["https://**.Example.com.", "https://**.example.com (not_canonical)"],
  ["https://api.example.com:443", "https://api.example.com (not_canonical)"],
  ["http://api.example.com:80", "http://api.example.com (not_canonical)"],
  ["https://api.example.com:08443", "https://api.example.com:8443 (not_canonical)"],
  ["https://api.example.com:8443-8443", "https://api.example.com:8443 (not_canonical)"],
  ["https://api.example.com:1-65535", "https://api.example.com:* (not_canonical)"],
  ["http://0x7f.1", "http://127.0.0.1 (not_canonical)"],
  ["http://2130706433", "http://127.0.0.1 (not_canonical)"],
  ["http://0177.0.0.1", "http://127.0.0.1 (not_canonical)"],
  ["http://127.1", "http://127.0.0.1 (not_canonical)"],
  ["http://[2001:DB8:0:0::1]", "http://[2001:db8::1] (not_canonical)"],
  ["http://[::ffff:10.0.0.1]", "http://10.0.0.1 (not_canonical)"],
  ["https://[2001:DB8::/32]", "https://[2001:db8::/32] (not_canonical)"],
  ["https://*.local", "https://*.local (never_matches)"],
  ["https://**.svc.internal", "https://**.svc.internal (never_matches)"],
  ["https://**.localhost", "https://**.localhost (never_matches)"],
  ["https://*.com", "https://*.com (wide_pattern)"],
  ["https://**.io", "https://**.io (wide_pattern)"],
  ["http://[64:ff9b::a00:1]", "http://[64:ff9b::a00:1] (never_matches)"],
  ["http://[2002:a00:1::]", "http://[2002:a00:1::] (never_matches)"],
  ["https://p\u0430ypal.com", "https://xn--pypal-4ve.com (not_canonical, confusable_name)"],
  ["https://xn--pypal-4ve.com", "https://xn--pypal-4ve.com (confusable_name)"],
  ["https://*.p\u0430ypal.com", "https://*.xn--pypal-4ve.com (not_canonical, confusable_name)"],
  [
    "https://\u0430\u0440\u0440\u04cf\u0435.com",
    "https://xn--80ak6aa92e.com (not_canonical, confusable_name)",
  ],
  ["https://\u043f\u043e\u0447\u0442\u0430.example", "https://xn--80a1acny.example (not_canonical)"],
  ["https://例え.example", "https://xn--r8jz45g.example (not_canonical)"],
];

describe("a pattern in another form", () => {
  for (const [text, expected] of tolerated) {
    test(`${text} is ${expected}`, () => expect(show(text)).toBe(expected));
  }
});

const refused: readonly (readonly [string, string])[] = [
  ["", "https://api.example.com, one pattern for each entry of the list"],
  ["*", "https://** for every public-looking name"],
  ["**", "https://** for every public-looking name"],
  ["api.example.com", "https://api.example.com"],
  ["api.example.com:80", "http://api.example.com:80"],
  ["*.example.com", "https://*.example.com"],
  ["10.0.0.0/8", "https://10.0.0.0/8"],
  ["2001:db8::1", "https://[2001:db8::1]"],
  ["//api.example.com", "https://api.example.com"],
  ["localhost:3000", "https://localhost:3000"],
  ["https:api.example.com", "https://api.example.com"],
  ["http:/api.example.com", "http://api.example.com"],
  ["https://", "https://api.example.com"],
  ["https://:8443", "https://api.example.com"],
  [
    "http*://api.example.com",
    "https://api.example.com and, if unencrypted requests are meant too, http://api.example.com",
  ],
  [
    "*://api.example.com",
    "https://api.example.com and, if unencrypted requests are meant too, http://api.example.com",
  ],
  ["*://*:*", "https://** and, if unencrypted requests are meant too, http://**"],
  [
    "http(s)://api.example.com",
    "https://api.example.com and, if unencrypted requests are meant too, http://api.example.com",
  ],
  ["htps://api.example.com", "https://api.example.com"],
  ["wss://api.example.com", "https://api.example.com"],
  ["ws://api.example.com", "http://api.example.com"],
  ["ftp://api.example.com", "https://api.example.com"],
  ["://api.example.com", "https://api.example.com"],
  ["https://*", "https://**"],
  ["http://*:8080", "http://**:8080"],
  ["https://*example.com", "https://*.example.com"],
  ["https://**example.com", "https://**.example.com"],
  ["https://api-*.example.com", "https://*.example.com, or the names one by one"],
  ["https://api.*.example.com", "https://**.example.com, or the names one by one"],
  ["https://*.*.example.com", "https://**.example.com, or the names one by one"],
  ["https://***.example.com", "https://*.example.com, or the names one by one"],
  ["https://example.*", "the names one by one, as a list of patterns"],
  ["https://*.10.0.0.1", "https://10.0.0.0/8"],
  ["https://*.", "the names one by one, as a list of patterns"],
  ["https://.example.com", "https://**.example.com"],
  ["https://api.example.com/v1", "to: https://api.example.com and, below it, paths: [/v1]"],
  ["https://api.example.com/v1/*?x=1", "to: https://api.example.com and, below it, paths: [/v1/*]"],
  ["https://api.example.com:8443/v1/", "to: https://api.example.com:8443 and, below it, paths: [/v1/]"],
  ["https://api.example.com//", "to: https://api.example.com and, below it, paths: [//]"],
  ["https://api.example.com?x=1", "https://api.example.com"],
  ["https://api.example.com/?x=1", "https://api.example.com"],
  ["https://api.example.com#top", "https://api.example.com"],
  ["https://user:secret@api.example.com", "https://api.example.com"],
  ["https://@api.example.com", "https://api.example.com"],
  ["https://good.example\\@evil.example", "https://good.example/@evil.example"],
  [" https://api.example.com", "https://api.example.com"],
  ["https://api example.com", "https://api.example.com, one pattern for each entry of the list"],
  ["https://api.example.com\u0000", "https://api.example.com, one pattern for each entry of the list"],
  ["https://api.example.com:", "https://api.example.com"],
  ["https://api.example.com:0", "https://api.example.com"],
  ["https://api.example.com:65536", "https://api.example.com"],
  ["https://api.example.com:0-80", "https://api.example.com"],
  ["https://api.example.com:8999-8000", "https://api.example.com:8000-8999"],
  ["https://api.example.com:8000..8999", "https://api.example.com:8000-8999"],
  ["https://api.example.com:80,443", "https://api.example.com:80 and https://api.example.com:443"],
  ["https://api.example.com:+80", "https://api.example.com:80"],
  ["https://api.example.com:http", "https://api.example.com:8443"],
  ["https://api.example.com:8*", "https://api.example.com:8"],
  ["http://10.0.0.1/8", "http://10.0.0.0/8"],
  ["http://10/8", "http://10.0.0.0/8"],
  ["http://10.0.0.0/33", "http://10.0.0.0/8"],
  ["http://10.0.0.0/08", "http://10.0.0.0/8"],
  ["https://[2001:db8::1/32]", "https://[2001:db8::/32]"],
  ["https://[2001:db8::]/32", "https://[2001:db8::/32]"],
  ["https://2001:db8::1", "https://[2001:db8::1]"],
  ["https://2001:db8::/32", "https://[2001:db8::/32]"],
  ["https://[10.0.0.0/8]", "https://10.0.0.0/8"],
  ["https://[::ffff:10.0.0.0/104]", "https://10.0.0.0/8"],
  ["https://[fe80::1%25eth0]", "https://[2001:db8::1]"],
  ["https://[::1", "https://[::1]"],
  ["https://ex%61mple.com", "https://api.example.com"],
  ["https://{api,www}.example.com", "https://api.example.com, one pattern for each name"],
  ["https://a..example.com", "https://api.example.com"],
  ["https://-a.example.com", "https://api.example.com"],
  ["https://xn--a.example.com", "https://api.example.com"],
  ["https://256.0.0.1", "https://api.example.com"],
  ["Insecure:Allow-All", "insecure:allow-all, if every destination is really meant"],
  ["insecure:allow-all/", "insecure:allow-all, if every destination is really meant"],
];

describe("a pattern that is wrong", () => {
  for (const [text, remedy] of refused) {
    test(`${JSON.stringify(text)} is refused, and the remedy is ${remedy}`, () =>
      expect(show(text)).toBe(`error: ${remedy}`));
  }

  test("every mistake of one pattern is told", () => {
    expect(show("https://api-*.example.com:0/v1")).toBe(
      "error: https://*.example.com:0, or the names one by one; https://api.example.com; to: https://api.example.com and, below it, paths: [/v1]",
    );
  });

  test("remedies that are single patterns are patterns", () => {
    for (const [, remedy] of refused) {
      if (/^https?:\S+$/.test(remedy) && !remedy.includes("@"))
        expect(parsePattern(remedy).ok, remedy).toBe(true);
    }
  });
});
