// Redirect targets, one test a row: [location, URL or reason, why], all relative to one base.
import { describe, expect, test } from "vitest";
import { resolveLocation } from "../../src/url/destination.ts";
import { destinationOf } from "../support/arbitraries.ts";

const base = destinationOf("https://a.example:8443/b/c/d?e=f");

const rows: readonly (readonly [location: string, expected: string, why: string])[] = [
  ["https://other.example/x", "https://other.example/x", "an absolute URL"],
  ["http://other.example/x", "http://other.example/x", "a downgrade is the redirect rules' business"],
  ["HTTPS://OTHER.example:443/x", "https://other.example/x", "an absolute URL is brought to normal form"],
  ["//other.example/x", "https://other.example/x", "a URL without a scheme takes the base's"],
  ["/x", "https://a.example:8443/x", "an absolute path"],
  ["/x?y", "https://a.example:8443/x?y", "an absolute path and a query"],
  ["x", "https://a.example:8443/b/c/x", "a relative path"],
  ["./x", "https://a.example:8443/b/c/x", "a relative path with a dot"],
  ["../x", "https://a.example:8443/b/x", "one up"],
  ["../../../../x", "https://a.example:8443/x", "above the root is the root"],
  ["%2e%2e/x", "https://a.example:8443/b/x", "encoded dots are dots"],
  ["?x", "https://a.example:8443/b/c/d?x", "a query alone"],
  ["?", "https://a.example:8443/b/c/d", "an empty query"],
  ["", "https://a.example:8443/b/c/d?e=f", "an empty location is the base"],
  ["#x", "https://a.example:8443/b/c/d?e=f", "a fragment alone is the base"],
  ["/x#y", "https://a.example:8443/x", "the fragment is dropped"],
  ["x:y", "scheme_not_allowed", "a colon in the first segment ends a scheme"],
  ["./x:y", "https://a.example:8443/b/c/x:y", "and in a later one does not"],
  ["file:///etc/passwd", "scheme_not_allowed", "another scheme"],
  ["javascript:alert(1)", "scheme_not_allowed", "another scheme"],
  ["https:x", "invalid_url", "a scheme without // is refused here as well"],
  ["https:/x", "invalid_url", "a scheme with one slash"],
  ["///other.example/x", "invalid_url", "an empty authority"],
  ["/\\other.example/x", "invalid_url", "a backslash"],
  ["\\\\other.example/x", "invalid_url", "backslashes for slashes"],
  [" /x", "invalid_url", "a space"],
  ["/x\r\ny: z", "invalid_url", "a line end"],
  ["/\t/other.example", "invalid_url", "a tab that others drop"],
  ["https://user@other.example/", "credentials_in_url", "credentials"],
  ["//user:password@other.example/", "credentials_in_url", "credentials without a scheme"],
  ["//169.254.169.254/x", "https://169.254.169.254/x", "an address is a host; the policy judges it"],
  ["//0xA9FEA9FE/x", "https://169.254.169.254/x", "in any spelling"],
  ["http://[::ffff:127.0.0.1]/", "http://127.0.0.1/", "and unwrapped"],
  ["/%", "https://a.example:8443/%25", "a lone percent sign"],
  ["//other.example:0/", "invalid_url", "port 0"],
  ["/\u00c3\u00a9", "https://a.example:8443/%C3%A9", "UTF-8 octets as header text"],
  ["/\u00e9", "invalid_url", "Latin-1 octets are not UTF-8"],
  ["\u00ef\u00bb\u00bf/x", "https://a.example:8443/b/c/%EF%BB%BF/x", "a byte order mark is text here"],
  ["//b\u00c3\u00bccher.example/", "https://xn--bcher-kva.example/", "UTF-8 octets in a host"],
];

describe("resolveLocation", () => {
  for (const [location, expected, why] of rows) {
    test(`${JSON.stringify(location)} is ${expected}: ${why}`, () => {
      const resolved = resolveLocation(base, location);
      expect(resolved.ok ? resolved.value.url : resolved.error.reason).toBe(expected);
    });
  }

  test("refuses a location that is too long", () => {
    expect(resolveLocation(base, `/${"a".repeat(9_000)}`)).toMatchObject({
      error: { reason: "invalid_url" },
    });
  });

  test("refuses a location that becomes too long behind its base", () => {
    const deep = destinationOf(`https://a.example/${"a".repeat(8_000)}/`);
    expect(resolveLocation(deep, "b".repeat(400))).toMatchObject({ error: { reason: "invalid_url" } });
  });
});
