// URLs that have a destination, in every spelling, and what the destination looks like.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { parseDestination } from "../../src/url/destination.ts";
import { letters, type Row, show, testRows } from "../support/destination-rows.ts";

const host63 = letters(63);
const host253 = `${host63}.${host63}.${host63}.${letters(61)}`;

const spellings: readonly Row[] = [
  ["https://api.example", "https api.example 443 /", "an empty path is /"],
  ["https://api.example/", "https api.example 443 /", "the plain form"],
  ["HTTPS://API.Example/", "https api.example 443 /", "scheme and host have no case"],
  ["http://api.example:80/", "http api.example 80 /", "the default port is spelling"],
  ["https://api.example:443/", "https api.example 443 /", "the default port is spelling"],
  ["http://api.example:443/", "http api.example 443 /", "443 is no default of http"],
  ["https://api.example:80/", "https api.example 80 /", "80 is no default of https"],
  ["http://api.example:/", "http api.example 80 /", "an empty port is the default one"],
  ["https://[2001:db8::1]:", "https 2001:db8::1 443 /", "also behind an address and without a path"],
  ["http://api.example:080/", "http api.example 80 /", "leading zeros are decimal to everyone"],
  [
    "http://api.example:0000000000008080/",
    "http api.example 8080 /",
    "leading zeros are decimal to everyone",
  ],
  ["http://api.example:65535/", "http api.example 65535 /", "the last port"],
  ["http://api.example:1/", "http api.example 1 /", "the first port"],
  ["https://api.example./", "https api.example 443 /", "one trailing dot is spelling"],
  ["https://api.example.:443/", "https api.example 443 /", "one trailing dot is spelling"],
  ["https://ex%61mple.com/", "https example.com 443 /", "an encoded letter in the host is that letter"],
  ["https://ex%41mple.com/", "https example.com 443 /", "decoded before it is folded"],
  ["https://a%2eb.example/", "https a.b.example 443 /", "an encoded dot in the host is a dot"],
  ["https://ＡＰＩ.example/", "https api.example 443 /", "full-width letters are letters"],
  ["https://api。example/", "https api.example 443 /", "an ideographic full stop is a dot"],
  ["https://api．example/", "https api.example 443 /", "a full-width full stop is a dot"],
  ["https://bücher.example/", "https xn--bcher-kva.example 443 /", "a name goes in A-labels"],
  ["https://BÜCHER.example/", "https xn--bcher-kva.example 443 /", "folded before it is encoded"],
  ["https://bu\u0308cher.example/", "https xn--bcher-kva.example 443 /", "composed before it is encoded"],
  ["https://b%C3%BCcher.example/", "https xn--bcher-kva.example 443 /", "encoded UTF-8 in a host is text"],
  ["https://XN--BCHER-KVA.example/", "https xn--bcher-kva.example 443 /", "A-labels have no case"],
  [
    "https://straße.example/",
    "https xn--strae-oqa.example 443 /",
    "sharp s is a letter of its own (IDNA 2008)",
  ],
  ["https://i❤.example/", "https xn--i-7iq.example 443 /", "emoji names are registered and resolve"],
  ["https://ex\u00adample.com/", "https example.com 443 /", "a soft hyphen is nothing"],
  ["https://ex\u200bample.com/", "https example.com 443 /", "a zero width space is nothing"],
  ["https://\u212aube.example/", "https kube.example 443 /", "the Kelvin sign is a k"],
  ["https://_dmarc.example.com/", "https _dmarc.example.com 443 /", "names with _ exist and resolve"],
  ["http://localhost/", "http localhost 80 /", "a single label is a name; the policy judges it"],
  ["http://1a.example/", "http 1a.example 80 /", "a label may start with a digit"],
  ["http://1.2.3.4.example/", "http 1.2.3.4.example 80 /", "numbers in front are labels"],
  ["http://0xg/", "http 0xg 80 /", "0xg is no number"],
  [
    "http://127.0.0.1.nip.io/",
    "http 127.0.0.1.nip.io 80 /",
    "a name that looks like an address stays a name",
  ],
  [`http://${host63}.example/`, `http ${host63}.example 80 /`, "63 characters are a label"],
  [`http://${host253}/`, `http ${host253} 80 /`, "253 characters are a name"],
  [`http://${host253}./`, `http ${host253} 80 /`, "the trailing dot does not count"],
];

const addresses: readonly Row[] = [
  ["http://127.0.0.1/", "http 127.0.0.1 80 /", "the plain form"],
  ["http://127.0.0.1./", "http 127.0.0.1 80 /", "one trailing dot is spelling"],
  ["http://127.1/", "http 127.0.0.1 80 /", "two parts"],
  ["http://127.0.1/", "http 127.0.0.1 80 /", "three parts"],
  ["http://2130706433/", "http 127.0.0.1 80 /", "one number"],
  ["http://0x7f000001/", "http 127.0.0.1 80 /", "one hexadecimal number"],
  ["http://0x7F.1/", "http 127.0.0.1 80 /", "hexadecimal and short"],
  ["http://0177.0.0.1/", "http 127.0.0.1 80 /", "octal"],
  ["http://017700000001/", "http 127.0.0.1 80 /", "one octal number"],
  ["http://00000177.0.0.1/", "http 127.0.0.1 80 /", "octal with more zeros"],
  ["http://0x7f.0.0.0x1/", "http 127.0.0.1 80 /", "mixed"],
  ["http://0/", "http 0.0.0.0 80 /", "zero"],
  ["http://0x/", "http 0.0.0.0 80 /", "0x is zero to the URL standard"],
  ["http://0.0.0.0/", "http 0.0.0.0 80 /", "the unspecified address"],
  ["http://4294967295/", "http 255.255.255.255 80 /", "the last number"],
  ["http://１２７.0.0.1/", "http 127.0.0.1 80 /", "full-width digits"],
  ["http://①②⑦.0.0.1/", "http 127.0.0.1 80 /", "circled digits"],
  ["http://127。0。0。1/", "http 127.0.0.1 80 /", "ideographic full stops"],
  ["http://%31%32%37.0.0.1/", "http 127.0.0.1 80 /", "encoded digits"],
  ["http://0x%37f.1/", "http 127.0.0.1 80 /", "an encoded digit in a hexadecimal number"],
  [
    "http://169.254.169.254/latest",
    "http 169.254.169.254 80 /latest",
    "metadata is a literal like any other here",
  ],
  ["http://2852039166/", "http 169.254.169.254 80 /", "metadata as one number"],
  ["http://0xA9FEA9FE/", "http 169.254.169.254 80 /", "metadata as one hexadecimal number"],
  ["http://[::ffff:169.254.169.254]/", "http 169.254.169.254 80 /", "a mapped address is IPv4"],
  ["http://[::ffff:a9fe:a9fe]/", "http 169.254.169.254 80 /", "a mapped address in hexadecimal is IPv4"],
  ["http://[0:0:0:0:0:FFFF:127.0.0.1]/", "http 127.0.0.1 80 /", "a mapped address written out is IPv4"],
  ["http://[::ffff:7f00:1]:8080/", "http 127.0.0.1 8080 /", "a mapped address with a port"],
  ["http://[::1]/", "http ::1 80 /", "IPv6 loopback"],
  ["http://[0:0:0:0:0:0:0:1]/", "http ::1 80 /", "written out"],
  ["http://[0000:0000::0001]/", "http ::1 80 /", "with zeros"],
  ["http://[::127.0.0.1]/", "http ::7f00:1 80 /", "IPv4-compatible is not mapped"],
  ["https://[2001:DB8::1]:8443/", "https 2001:db8::1 8443 /", "lower case"],
  [
    "https://[2001:db8:0:0:1:0:0:1]/",
    "https 2001:db8::1:0:0:1 443 /",
    "the first of equal runs is shortened",
  ],
  ["https://[64:ff9b::192.0.2.1]/", "https 64:ff9b::c000:201 443 /", "a dotted tail becomes hexadecimal"],
  ["https://[::]/", "https :: 443 /", "the unspecified address"],
  ["https://[::1]:443/", "https ::1 443 /", "the default port is spelling"],
];

describe("a name", () => testRows(spellings));
describe("an address", () => testRows(addresses));

describe("parseDestination", () => {
  for (const value of [
    undefined,
    null,
    1,
    true,
    {},
    [],
    new URL("https://a.example/"),
    ["https://a.example/"],
  ]) {
    test(`refuses ${Object.prototype.toString.call(value)}, which is not text`, () => {
      expect(show(value)).toBe("invalid_url");
    });
  }

  test("never asks an object for its text", () => {
    const lying = { toString: () => "https://a.example/" };
    expect(show(lying)).toBe("invalid_url");
  });

  test("takes a URL of exactly the bound and refuses one byte more", () => {
    const prefix = "https://a.example/";
    const longest = prefix + letters(bounds.urlBytesMax - prefix.length);
    expect(parseDestination(longest).ok).toBe(true);
    expect(show(`${longest}a`)).toBe("invalid_url");
  });

  test("counts bytes, not characters", () => {
    expect(show(`https://a.example/#${"é".repeat(bounds.urlBytesMax / 2)}`)).toBe("invalid_url");
  });

  test("counts the fragment, which other parsers would keep", () => {
    expect(show(`https://a.example/#${letters(bounds.urlBytesMax)}`)).toBe("invalid_url");
  });

  test("holds the bound for the normal form, which can be longer than the text", () => {
    expect(show(`https://a.example/${"|".repeat(3_000)}`)).toBe("invalid_url");
    expect(parseDestination(`https://a.example/${"|".repeat(2_000)}`).ok).toBe(true);
  });

  test("puts brackets around IPv6 in the authority and nowhere else", () => {
    const parsed = parseDestination("https://[2001:db8::1]:8443/x?y");
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        host: { kind: "ipv6", ip: { family: 6, text: "2001:db8::1" } },
        hostText: "2001:db8::1",
        authority: "[2001:db8::1]:8443",
        origin: "https://[2001:db8::1]:8443",
        url: "https://[2001:db8::1]:8443/x?y",
      },
    });
  });

  test("leaves the default port out of the authority", () => {
    expect(parseDestination("http://a.example:80/")).toMatchObject({
      value: { port: 80, authority: "a.example" },
    });
    expect(parseDestination("https://a.example:80/")).toMatchObject({ value: { authority: "a.example:80" } });
  });

  test("calls a mapped address ipv4", () => {
    expect(parseDestination("http://[::ffff:10.0.0.1]/")).toMatchObject({
      value: { host: { kind: "ipv4", ip: { family: 4, text: "10.0.0.1" } }, authority: "10.0.0.1" },
    });
  });

  test("gives a destination that cannot be changed", () => {
    const parsed = parseDestination("http://10.0.0.1/");
    expect(parsed.ok && [parsed.value, parsed.value.host].every(Object.isFrozen)).toBe(true);
  });

  test("never tells userinfo or the query in a detail", () => {
    const secret = "s3cret";
    for (const text of [
      `https://${secret}:${secret}@a.example/`,
      `https://a..example/?${secret}`,
      `https://a.example:0/?${secret}`,
      `https://${secret}@xn--a/?${secret}`,
      `ftp://${secret}@a.example/?${secret}`,
      `https://a.example/?${secret} `,
      `https://-/?${secret}`,
    ]) {
      const parsed = parseDestination(text);
      expect(parsed.ok).toBe(false);
      expect(JSON.stringify(parsed)).not.toContain(secret);
    }
  });
});
