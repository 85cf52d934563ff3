// Laws of the one parser, for every text and every destination.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { parseDestination, resolveLocation } from "../../src/url/destination.ts";
import { destinationOf, destinations, respelled } from "../support/arbitraries.ts";

const urlLikeText = fc
  .array(
    fc.constantFrom(
      ..."abcxn01.9:/?#@[]%-_~|^\\ \t\n'\"{}",
      "http",
      "https",
      "://",
      "//",
      "..",
      "%2e",
      "%2E%2e",
      "%",
      "%zz",
      "[::1]",
      "127.0.0.1",
      "0x7f.1",
      "xn--",
      "\u212a",
      "\uff0e",
      "\u00e9",
      "\ud800",
      ":80",
      ":0",
      "user@",
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(""));
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  urlLikeText,
  urlLikeText.map((text) => `https://${text}`),
  urlLikeText.map((text) => `http://a.example/${text}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
);

describe("parseDestination", () => {
  test("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.anything()), (input) => {
        const parsed = parseDestination(input);
        expect(typeof parsed.ok).toBe("boolean");
      }),
      { numRuns: 2_000 },
    );
  });

  test("has a normal form that is a fixed point", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = parseDestination(text);
        fc.pre(parsed.ok);
        expect(parseDestination(parsed.value.url)).toEqual(parsed);
      }),
      { numRuns: 3_000 },
    );
  });

  test("gives a normal form that the URL standard reads the same way", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = parseDestination(text);
        fc.pre(parsed.ok);
        const { url, scheme, authority, path, query } = parsed.value;
        const again = new URL(url);
        expect(again.href).toBe(url);
        expect(again.protocol).toBe(`${scheme}:`);
        expect(again.host).toBe(authority);
        expect(again.pathname).toBe(path);
        expect(again.search).toBe(query);
        expect(again.username + again.password + again.hash).toBe("");
      }),
      { numRuns: 3_000 },
    );
  });

  test("gives parts that say the same as its whole", () => {
    fc.assert(
      fc.property(destinations, (destination) => {
        const { scheme, host, hostText, port, authority, origin, path, query, url } = destination;
        expect(origin).toBe(`${scheme}://${authority}`);
        expect(url).toBe(origin + path + query);
        expect(path.startsWith("/")).toBe(true);
        expect(path).not.toMatch(/\/\.{1,2}(\/|$)/);
        expect(url).toMatch(/^[!-~]+$/);
        expect(port).toBeGreaterThan(0);
        expect(authority.replace(/^\[|\](?=:|$)/g, "")).toBe(
          port === (scheme === "http" ? 80 : 443) ? hostText : `${hostText}:${port}`,
        );
        expect(host.kind === "name" ? host.name : host.ip.text).toBe(hostText);
        expect(Object.isFrozen(destination) && Object.isFrozen(host)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("gives equal destinations for any two spellings of a URL", () => {
    fc.assert(
      fc.property(respelled, ({ destination, spelling }) => {
        expect(destinationOf(spelling)).toEqual(destination);
      }),
      { numRuns: 3_000 },
    );
  });

  test("gives the path and query that the URL standard gives, but for the spelling of octets", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = parseDestination(text);
        fc.pre(parsed.ok);
        const standard = new URL(text);
        expect(octets(parsed.value.path)).toBe(octets(standard.pathname));
        expect(octets(parsed.value.query)).toBe(octets(standard.search));
        expect(parsed.value.path.split("/").length).toBe(standard.pathname.split("/").length);
      }),
      { numRuns: 3_000 },
    );
  });

  test("keeps every octet that has a meaning of its own as it was, encoded or not", () => {
    const reserved = fc.constantFrom(...":/?#[]@!$&'()*+,;=%\\ \0");
    fc.assert(
      fc.property(reserved, (character) => {
        const octet = `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
        expect(destinationOf(`https://a.example/x${octet}y?x${octet}y`).url).toBe(
          `https://a.example/x${octet}y?x${octet}y`,
        );
      }),
    );
  });

  test("never gives more than the bound, however much a text grows", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("|", "\u00e9", "[", "a", "%41"),
        fc.integer({ min: 1, max: 9_000 }),
        (unit, count) => {
          const parsed = parseDestination(`https://a.example/${unit.repeat(count)}`);
          if (parsed.ok) expect(Buffer.byteLength(parsed.value.url)).toBeLessThanOrEqual(bounds.urlBytesMax);
          else expect(parsed.error.reason).toBe("invalid_url");
        },
      ),
    );
  });
});

describe("resolveLocation", () => {
  test("never throws, and gives nothing but normal forms", () => {
    fc.assert(
      fc.property(destinations, anyText, (base, location) => {
        const resolved = resolveLocation(base, location);
        fc.pre(resolved.ok);
        expect(parseDestination(resolved.value.url)).toEqual(resolved);
      }),
      { numRuns: 2_000 },
    );
  });

  test("agrees with the URL standard on every location that it takes", () => {
    fc.assert(
      fc.property(destinations, anyText, (base, location) => {
        const resolved = resolveLocation(base, location);
        fc.pre(resolved.ok);
        const asText = /^[\0-\u00ff]*$/.test(location)
          ? Buffer.from(location, "latin1").toString("utf8")
          : location;
        expect(resolved.value).toEqual(destinationOf(new URL(asText, base.url).href));
      }),
      { numRuns: 2_000 },
    );
  });
});

// Every octet raw, so that only what the octets are is compared.
function octets(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
