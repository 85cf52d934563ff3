// IP addresses and ranges in text, one test a row, and their laws.
import { isIP, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cidrContains, ipFromBytes, parseCidr, parseIp } from "../../src/url/ip-address.ts";
import { ipv4Texts, ipv6Texts } from "../support/arbitraries.ts";

const good: readonly (readonly [text: string, canonical: string])[] = [
  ["0.0.0.0", "0.0.0.0"],
  ["127.0.0.1", "127.0.0.1"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8::A", "2001:db8::a"],
  ["2001:0db8:0000:0000:0000:0000:0000:000a", "2001:db8::a"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["0:0:1::", "0:0:1::"],
  ["::ffff:127.0.0.1", "127.0.0.1"],
  ["::FFFF:7f00:1", "127.0.0.1"],
  ["0:0:0:0:0:ffff:10.0.0.1", "10.0.0.1"],
  ["::127.0.0.1", "::7f00:1"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"],
];

const bad: readonly string[] = [
  "",
  " 127.0.0.1",
  "127.0.0.1 ",
  "127.0.0.1\n",
  "127.0.0.1.",
  "127.1",
  "127.0.0.0.1",
  "2130706433",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "127.0.0.01",
  "00.0.0.0",
  "127.0.0.256",
  "127.0.0.-1",
  "+127.0.0.1",
  "127.0.0.1e0",
  "127..0.1",
  "１２７.0.0.1",
  "٣.0.0.1",
  "127.0.0.1/32",
  "127.0.0.1:80",
  "localhost",
  "[::1]",
  "::1%lo",
  "::1%25lo",
  "fe80::1%1",
  ":",
  ":::",
  ":1",
  "1:",
  ":1::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4::5:6:7:8",
  "::1:2:3:4:5:6:7:8",
  "12345::",
  "g::",
  "::127.0.0.1:1",
  "127.0.0.1::",
  "::ffff:0x7f.0.0.1",
  "::ffff:0127.0.0.1",
  "::ffff:127.1",
  "1:2:3:4:5:6:7:1.2.3.4",
  "::1/128",
  "0000:0000:0000:0000:0000:ffff:127.000.000.001",
];

describe("parseIp", () => {
  for (const [text, canonical] of good) {
    test(`${JSON.stringify(text)} is ${canonical}`, () => {
      const ip = parseIp(text);
      expect(ip?.text).toBe(canonical);
      expect(ip?.family).toBe(canonical.includes(":") ? 6 : 4);
      expect(ip?.bytes.length).toBe(canonical.includes(":") ? 16 : 4);
    });
  }
  for (const text of bad) {
    test(`${JSON.stringify(text)} is no address`, () => {
      expect(parseIp(text)).toBeUndefined();
    });
  }

  test("agrees with the URL standard on every IPv6 address and its canonical form", () => {
    const texts = fc.oneof(
      ipv6Texts,
      fc.ipV6(),
      fc
        .array(fc.constantFrom("0", "1", "ffff", ":", "::", "1.2.3.4", "a0"), { maxLength: 12 })
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(text.includes(":"));
        const standard = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
        const ours = parseIp(text);
        if (ours?.family === 4) expect(standard).toMatch(/^::ffff:[0-9a-f]+:[0-9a-f]+$/);
        else expect(ours?.text).toBe(standard);
        expect(ours !== undefined).toBe(isIPv6(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("agrees with node:net on every IPv4 address", () => {
    const texts = fc.oneof(ipv4Texts, fc.stringMatching(/^[0-9.x]{1,15}$/), fc.string({ maxLength: 16 }));
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0);
        if (isIPv4(text)) expect(parseIp(text)?.text).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is the inverse of the octets, and its own fixed point", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4Texts, ipv6Texts), (text) => {
        const ip = parseIp(text);
        expect(ip?.text).toBe(text);
        expect(ip && ipFromBytes(ip.bytes)).toEqual(ip);
      }),
    );
  });
});

const ranges: readonly (readonly [text: string, expected: string])[] = [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.20.30.40/32", "10.20.30.40/32"],
  ["10.20.30.40", "10.20.30.40/32"],
  ["192.168.128.0/17", "192.168.128.0/17"],
  ["::/0", "::/0"],
  ["::1", "::1/128"],
  ["2001:DB8::/32", "2001:db8::/32"],
  ["2001:db8:0:0::/64", "2001:db8::/64"],
  ["fe80::/10", "fe80::/10"],
  ["10.0.0.1/8", "write 10.0.0.0/8"],
  ["172.16.0.0/11", "write 172.0.0.0/11"],
  ["2001:db8::1/32", "write 2001:db8::/32"],
  ["10/8", "write 10.0.0.0/8"],
  ["192.168/16", "write 192.168.0.0/16"],
  ["10.0.0.0/33", "from 0 to 32"],
  ["::/129", "from 0 to 128"],
  ["10.0.0.0/08", "plain number"],
  ["10.0.0.0/+8", "plain number"],
  ["10.0.0.0/-1", "plain number"],
  ["10.0.0.0/", "plain number"],
  ["10.0.0.0/8/8", "plain number"],
  ["10.0.0.0/0x8", "plain number"],
  ["10.0.0.0/255.0.0.0", "plain number"],
  ["010.0.0.0/8", "not an IP address"],
  ["0x0a.0.0.0/8", "not an IP address"],
  ["10.0.0.256/32", "not an IP address"],
  ["fe80::%eth0/64", "not an IP address"],
  ["[::1]/128", "not an IP address"],
  ["localhost/8", "not an IP address"],
  ["", "not an IP address"],
  ["/8", "not an IP address"],
  ["::ffff:10.0.0.0/104", "write 10.0.0.0/8"],
  ["::ffff:10.1.2.3", "write 10.1.2.3/32"],
  ["::ffff:0:0/96", "write 0.0.0.0/0"],
];

describe("parseCidr", () => {
  for (const [text, expected] of ranges) {
    test(`${JSON.stringify(text)}: ${expected}`, () => {
      const cidr = parseCidr(text);
      expect(cidr.ok ? cidr.value.text : cidr.error).toContain(expected);
    });
  }

  test("gives a canonical text that reads as the same range", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4Texts, ipv6Texts), fc.integer({ min: 0, max: 128 }), (text, prefix) => {
        const cidr = parseCidr(`${text}/${prefix}`);
        const spelling = cidr.ok ? cidr.value.text : /write (\S+)$/.exec(cidr.error)?.[1];
        fc.pre(spelling !== undefined);
        expect(parseCidr(spelling ?? "")).toMatchObject({ ok: true, value: { text: spelling } });
      }),
    );
  });
});

describe("cidrContains", () => {
  const rows: readonly (readonly [range: string, address: string, expected: boolean])[] = [
    ["10.0.0.0/8", "10.0.0.0", true],
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "9.255.255.255", false],
    ["172.16.0.0/12", "172.31.255.255", true],
    ["172.16.0.0/12", "172.32.0.0", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::", false],
    ["::/0", "1.2.3.4", false],
    ["::/0", "ffff::", true],
    ["10.0.0.1/32", "10.0.0.1", true],
    ["10.0.0.1/32", "10.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.1.1", true],
    ["fe80::/10", "febf::1", true],
    ["fe80::/10", "fec0::1", false],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["::1/128", "::1", true],
  ];
  for (const [range, address, expected] of rows) {
    test(`${range} ${expected ? "has" : "does not have"} ${address}`, () => {
      const cidr = parseCidr(range);
      const ip = parseIp(address);
      expect(cidr.ok && ip !== undefined && cidrContains(cidr.value, ip)).toBe(expected);
    });
  }

  test("is the comparison of the first bits", () => {
    fc.assert(
      fc.property(ipv4Texts, ipv4Texts, fc.integer({ min: 0, max: 32 }), (rangeText, text, prefix) => {
        const start = parseIp(rangeText);
        const ip = parseIp(text);
        const bits = (address: typeof ip): string =>
          [...(address?.bytes ?? [])].map((octet) => octet.toString(2).padStart(8, "0")).join("");
        const first = bits(start).slice(0, prefix);
        const cidr = { family: 4 as const, bytes: start?.bytes ?? new Uint8Array(4), prefix, text: "" };
        expect(ip !== undefined && cidrContains(cidr, ip)).toBe(bits(ip).startsWith(first));
      }),
    );
  });
});
