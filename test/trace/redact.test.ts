// No secret of a URL gets into a record: tables for the forms, laws for whatever guests come up with.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redactLocation, redactText, redactUrl } from "../../src/trace/redact.ts";
import { parseDestination } from "../../src/url/destination.ts";
import { destinationOf, destinations } from "../support/arbitraries.ts";

describe("redactUrl", () => {
  const rows: readonly [string, string][] = [
    ["https://api.example.com", "https://api.example.com/"],
    ["https://api.example.com/v1/items", "https://api.example.com/v1/items"],
    ["https://API.example.com:443/a/../b#top", "https://api.example.com/b"],
    ["http://[2001:db8::1]:8080/x?a=1", "http://[2001:db8::1]:8080/x?a=REDACTED"],
    ["https://h.example/?token=s3cret&page=2", "https://h.example/?token=REDACTED&page=REDACTED"],
    ["https://h.example/?q=a=b=c", "https://h.example/?q=REDACTED"],
    ["https://h.example/?empty=", "https://h.example/?empty=REDACTED"],
    ["https://h.example/?filter%5Bname%5D=x", "https://h.example/?filter%5Bname%5D=REDACTED"],
    // A parameter without a value is a value without a name.
    ["https://h.example/?s3cret", "https://h.example/?REDACTED"],
    ["https://h.example/?a=1&s3cret&b=2", "https://h.example/?a=REDACTED&REDACTED&b=REDACTED"],
    ["https://h.example/?a=1;s3cret=2", "https://h.example/?a=REDACTED"],
    // Padded base64 has a `=` and no name either.
    ["https://h.example/?czNjcmV0IHZhbHVl==", "https://h.example/?REDACTED"],
    ["https://h.example/?czNjcmV0IHZhbHVlIQQ=", "https://h.example/?REDACTED"],
    // Encoded separators within a name hide a value.
    ["https://h.example/?a%3Ds3cret=1", "https://h.example/?REDACTED"],
    ["https://h.example/?u%26t%3Ds3cret=", "https://h.example/?REDACTED"],
    [`https://h.example/?${"k".repeat(64)}=1`, `https://h.example/?${"k".repeat(64)}=REDACTED`],
    [`https://h.example/?${"k".repeat(65)}=1`, "https://h.example/?REDACTED"],
    ["https://h.example/?&&a=1&", "https://h.example/?&&a=REDACTED&"],
  ];
  test.each(rows)("%s is written as %s", (text, written) => {
    expect(redactUrl(destinationOf(text))).toBe(written);
  });

  test("at most 32 keys are named, and the rest is said to be there", () => {
    const query = Array.from({ length: 33 }, (_, index) => `k${index}=v`).join("&");
    const written = redactUrl(destinationOf(`https://h.example/?${query}`));
    expect(written).toContain("k31=REDACTED");
    expect(written).not.toContain("k32");
    expect(written.endsWith("&REDACTED")).toBe(true);
  });

  test("a URL without a query is written as it is, up to 2048 characters", () => {
    fc.assert(
      fc.property(destinations, (destination) => {
        const written = redactUrl({ ...destination, query: "" });
        expect(written).toBe(destination.origin + destination.path);
      }),
    );
    const long = redactUrl(destinationOf(`https://h.example/${"p".repeat(4000)}`));
    expect(long).toHaveLength(2048);
    expect(long.endsWith("p...")).toBe(true);
  });
});

describe("redactText", () => {
  const rows: readonly [string, string][] = [
    ["https://user:pw@host.example/path?q=1#f", "https://host.example/path"],
    ["https://user:p@ss:w@rd@host.example/", "https://host.example/"],
    ["https://token@host.example", "https://host.example"],
    ["HTTPS://user:pw@host.example", "HTTPS://host.example"],
    ["http:user:pw@host.example/", "http:host.example/"],
    ["http:/user:pw@host.example/", "http:/host.example/"],
    ["http:\\\\user:pw@host.example\\x", "http:\\\\host.example\\x"],
    ["//user:pw@host.example/", "//host.example/"],
    ["user:pw@host.example/", "host.example/"],
    ["http://user:pa/ss@host.example/", "http://host.example/"],
    ["http://good.example\\@evil.example/", "http://evil.example/"],
    ["http://user:pw%40host.example/", "http://host.example/"],
    ["http://user:pw%2540host.example/", "http://host.example/"],
    ["http://user:pw\uff20host.example/", "http://host.example/"],
    ["http://user:pw%EF%BC%A0host.example/", "http://host.example/"],
    ["http://user:pw%4\t0host.example/", "http://host.example/"],
    ["http://host.example/%3Ftoken=s3cret", "http://host.example/"],
    ["http://host.example/\uff1ftoken=s3cret", "http://host.example/"],
    // Whether that is a password with a `?` or a query with an `@`, nobody can tell.
    ["http://user:pa?ss@host.example/", "http://REDACTED"],
    ["http://host.example/?mail=me@s3cret", "http://REDACTED"],
    ["http://host.example/#me@s3cret", "http://REDACTED"],
    // The user name of a text without a scheme is no scheme.
    ["s3cret:x-oauth-basic@host.example/", "host.example/"],
    ["data:text/plain,s3cret", "data:REDACTED"],
    ["mailto:me@host.example", "mailto:REDACTED"],
    ["javascript:alert(1)", "javascript:REDACTED"],
    ["file:///etc/passwd", "file:///etc/passwd"],
    ["gopher://host.example/x", "gopher://host.example/x"],
    ["http://ho st/a\r\nSet-Cookie: b", "http://ho st/a\\u{d}\\u{a}Set-Cookie: b"],
    ["http://h/\u001b[2J\u202e", "http://h/\\u{1b}[2J\\u{202e}"],
    ["http://a%20b/c%2Fd", "http://a%20b/c%2Fd"],
    ["", ""],
    ["@", ""],
    ["?", ""],
  ];
  test.each(rows)("%j is written as %j", (text, written) => {
    expect(redactText(text)).toBe(written);
  });

  test("the written text is bounded, and a text too long to be looked through is not written", () => {
    expect(redactText(`http://${"h".repeat(10_000)}`)).toHaveLength(2048);
    expect(redactText(`http://${"h".repeat(40_000)}`)).toBe("REDACTED");
    expect(redactText(`http://user:pw${"x".repeat(10_000)}@host`)).toBe("http://host");
  });

  test("a text that is encoded more often than anyone does by accident is not written", () => {
    expect(redactText(`http://user:pw%${"25".repeat(8)}40host`)).toBe("REDACTED");
  });
});

describe("redactLocation", () => {
  const base = destinationOf("https://h.example/dir/page?old=1");
  const rows: readonly [string, string][] = [
    ["/next?token=s3cret", "https://h.example/next?token=REDACTED"],
    ["next", "https://h.example/dir/next"],
    ["https://other.example/?a=s3cret", "https://other.example/?a=REDACTED"],
    ["https://user:pw@other.example/", "https://other.example/"],
    ["//user:pw@other.example/?t=s3cret", "//other.example/"],
    ["ftp://files.example/?t=s3cret", "ftp://files.example/"],
    ["http://other.example/a b?t=s3cret", "http://other.example/a b"],
  ];
  test.each(rows)("%s is written as %s", (location, written) => {
    expect(redactLocation(base, location)).toBe(written);
  });
});

// Long enough that no other part of a text holds it by chance.
const secrets = fc.stringMatching(/^[A-Za-z0-9]{10}$/).map((text) => `Zq7${text}`);
const noise = fc
  .array(
    fc.constantFrom(
      ..."ab1:/\\?#@%&=;. \t\n\u0000",
      "%40",
      "%2F",
      "%3f",
      "%25",
      "\uff20",
      "\uff1f",
      "REDACTED",
      "http:",
      "//",
      "\ud800",
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));
const schemes = fc.constantFrom(
  "http",
  "https",
  "HTTP",
  "hTtPs",
  "ftp",
  "file",
  "data",
  "foo",
  "x-y",
  "ht\ttp",
  " http",
  "",
  "http%3A",
);
const slashes = fc.constantFrom(
  "://",
  ":",
  ":/",
  ":///",
  ":\\\\",
  ":/\\",
  "//",
  "\\\\",
  "",
  ":\n//",
  "%3A%2F%2F",
);
const ats = fc.constantFrom(
  "@",
  "%40",
  "%2540",
  "%252540",
  "\uff20",
  "\ufe6b",
  "%EF%BC%A0",
  "%4\t0",
  "%\n40",
  "%%340",
  "\\@",
  "@@",
);
const marks = fc.constantFrom(
  "?",
  "#",
  "%3F",
  "%3f",
  "%23",
  "%253F",
  "\uff1f",
  "\uff03",
  "%2\r3",
  "?#",
  "\\?",
);
const hosts = fc.constantFrom(
  "host.example",
  "HOST",
  "127.0.0.1",
  "[::1]",
  "h:99999",
  "",
  "a_b",
  "b\u00fccher.example",
);

const planted = fc.oneof(
  fc
    .tuple(schemes, slashes, noise, secrets, noise, ats, hosts, noise)
    .map(([scheme, slash, before, secret, after, at, host, tail]) => ({
      secret,
      text: `${scheme}${slash}${before}${secret}${after}${at}${host}${tail}`,
    })),
  fc
    .tuple(schemes, slashes, hosts, noise, marks, noise, secrets, noise)
    .map(([scheme, slash, host, path, mark, before, secret, after]) => ({
      secret,
      text: `${scheme}${slash}${host}${path}${mark}${before}${secret}${after}`,
    })),
);

function expectNoSecret(written: string, secret: string): void {
  expect(written.toLowerCase()).not.toContain(secret.toLowerCase());
}

describe("secrets", () => {
  test("a secret planted in userinfo or query of any spelling is not in what redactText writes", () => {
    fc.assert(
      fc.property(planted, ({ text, secret }) => expectNoSecret(redactText(text), secret)),
      { numRuns: 5000 },
    );
  });

  test("what redactText writes is bounded and one printable line, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          planted.map(({ text }) => text),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          const written = redactText(text);
          expect(written.length).toBeLessThanOrEqual(2048);
          expect(written).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
          expect(written).not.toMatch(/[@?#]/);
        },
      ),
    );
  });

  // What may stand in a query raw or encoded, so that most of these texts parse.
  const queryNoise = fc
    .array(fc.constantFrom(..."ab1:/?@;.,=&", "%3D", "%26", "%25", "%40", "%C3%A9"), { maxLength: 5 })
    .map((parts) => parts.join(""));
  test("a secret value of a query is in nothing that is written of a URL that parses", () => {
    fc.assert(
      fc.property(
        destinations,
        fc.constantFrom("", "a=", "a%3D=", "=", "a=&", "x=1&a=", "&"),
        queryNoise,
        secrets,
        queryNoise.filter((text) => !text.includes("=")),
        (destination, start, before, secret, after) => {
          const text = `${destination.origin}${destination.path}?${start}${before}${secret}${after}`;
          const parsed = parseDestination(text);
          fc.pre(parsed.ok);
          if (parsed.ok) expectNoSecret(redactUrl(parsed.value), secret);
          expectNoSecret(redactText(text), secret);
          expectNoSecret(redactLocation(destination, text), secret);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("a secret in a hostile redirect target is in nothing that is written", () => {
    const base = destinationOf("https://h.example/dir/");
    // Without a scheme or slashes in front it is a path, and paths are written.
    const absolute = planted.filter(({ text }) => /^https?:|^\/\//i.test(text));
    fc.assert(
      fc.property(absolute, ({ text, secret }) => {
        const parsed = parseDestination(text);
        // A text that parses has no userinfo: what stands before an `@` there is a path, and keys are names.
        if (!parsed.ok) expectNoSecret(redactText(text), secret);
        if (!parsed.ok && !text.startsWith("//")) expectNoSecret(redactLocation(base, text), secret);
      }),
      { numRuns: 2000 },
    );
  });
});
