// The class of every special address, one test a row, at both ends of each range.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classifyAddress, isMetadataAddress } from "../../src/url/address-range.ts";
import { parseIp } from "../../src/url/ip-address.ts";
import { ipv4Texts, ipv6Texts } from "../support/arbitraries.ts";

const rows: readonly (readonly [address: string, range: string, why?: string])[] = [
  ["0.0.0.0", "unspecified", "this host"],
  ["0.255.255.255", "unspecified", "this network, RFC 791"],
  ["1.0.0.0", "public"],
  ["8.8.8.8", "public"],
  ["9.255.255.255", "public"],
  ["10.0.0.0", "private", "RFC 1918"],
  ["10.255.255.255", "private"],
  ["11.0.0.0", "public"],
  ["100.63.255.255", "public"],
  ["100.64.0.0", "cgnat", "RFC 6598"],
  ["100.127.255.255", "cgnat"],
  ["100.128.0.0", "public"],
  ["100.100.100.200", "cloud_metadata", "Alibaba"],
  ["100.100.100.201", "cgnat", "its neighbour"],
  ["100.96.0.96", "cloud_metadata", "Volcengine"],
  ["126.255.255.255", "public"],
  ["127.0.0.0", "loopback"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.255", "loopback"],
  ["128.0.0.0", "public"],
  ["168.63.129.15", "public", "a neighbour"],
  ["168.63.129.16", "cloud_metadata", "Azure WireServer"],
  ["169.253.255.255", "public"],
  ["169.254.0.0", "link_local", "RFC 3927"],
  ["169.254.0.23", "cloud_metadata", "Tencent"],
  ["169.254.42.42", "cloud_metadata", "Scaleway"],
  ["169.254.169.252", "cloud_metadata", "GKE"],
  ["169.254.169.253", "link_local", "AWS's name server has no secrets"],
  ["169.254.169.254", "cloud_metadata"],
  ["169.254.170.2", "cloud_metadata", "ECS"],
  ["169.254.170.23", "cloud_metadata", "EKS"],
  ["169.254.255.255", "link_local"],
  ["169.255.0.0", "public"],
  ["172.15.255.255", "public"],
  ["172.16.0.0", "private"],
  ["172.31.255.255", "private"],
  ["172.32.0.0", "public"],
  ["192.0.0.0", "reserved", "RFC 6890"],
  ["192.0.0.9", "reserved", "an anycast address of a protocol that is not HTTP"],
  ["192.0.0.192", "cloud_metadata", "Oracle"],
  ["192.0.0.255", "reserved"],
  ["192.0.1.255", "public"],
  ["192.0.2.0", "documentation", "RFC 5737"],
  ["192.0.2.255", "documentation"],
  ["192.0.3.0", "public"],
  ["192.31.196.1", "reserved", "AS112"],
  ["192.52.193.1", "reserved", "AMT"],
  ["192.88.99.1", "reserved", "6to4 relays, RFC 7526"],
  ["192.168.0.0", "private"],
  ["192.168.255.255", "private"],
  ["192.169.0.0", "public"],
  ["192.175.48.1", "reserved", "AS112"],
  ["198.17.255.255", "public"],
  ["198.18.0.0", "benchmarking", "RFC 2544"],
  ["198.19.255.255", "benchmarking"],
  ["198.20.0.0", "public"],
  ["198.51.100.0", "documentation"],
  ["198.51.100.255", "documentation"],
  ["203.0.113.0", "documentation"],
  ["203.0.113.255", "documentation"],
  ["223.255.255.255", "public"],
  ["224.0.0.0", "multicast"],
  ["239.255.255.255", "multicast"],
  ["240.0.0.0", "reserved", "RFC 1112"],
  ["255.255.255.254", "reserved"],
  ["255.255.255.255", "broadcast"],

  ["::", "unspecified"],
  ["::1", "loopback"],
  ["::2", "embedded_ipv4", "IPv4-compatible"],
  ["::7f00:1", "embedded_ipv4", "IPv4-compatible, as URLs spell it"],
  ["::127.0.0.1", "embedded_ipv4", "IPv4-compatible, as resolvers spell it"],
  ["::8.8.8.8", "embedded_ipv4", "IPv4-compatible of a public address"],
  ["::169.254.169.254", "embedded_ipv4", "IPv4-compatible of metadata"],
  ["::ffff:ffff", "embedded_ipv4", "the last of them"],
  ["::1:0:0", "reserved", "the next address"],
  ["::ffff:127.0.0.1", "loopback", "mapped is the address itself"],
  ["::ffff:8.8.8.8", "public", "mapped is the address itself"],
  ["::ffff:a9fe:a9fe", "cloud_metadata", "mapped is the address itself"],
  ["::ffff:0:127.0.0.1", "embedded_ipv4", "translated, RFC 7915"],
  ["64:ff9b::8.8.8.8", "embedded_ipv4", "NAT64"],
  ["64:ff9b::a00:1", "embedded_ipv4", "NAT64 of a private address"],
  ["64:ff9b:1::1", "embedded_ipv4", "local NAT64, RFC 8215"],
  ["64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "embedded_ipv4", "the last of them"],
  ["64:ff9b:2::1", "reserved", "behind it"],
  ["64:ff9a::1", "reserved", "in front of it"],
  ["100::1", "reserved", "discard, RFC 6666"],
  ["100:0:0:1::1", "reserved", "dummy prefix, RFC 9780"],
  ["200::1", "reserved", "returned"],
  ["400::1", "reserved", "unallocated"],
  ["1::1", "reserved", "unallocated"],
  ["1fff:ffff::1", "reserved", "below the global space"],
  ["2000::", "public", "the first global address"],
  ["2001::1", "embedded_ipv4", "Teredo"],
  ["2001:0:ffff::", "embedded_ipv4", "Teredo"],
  ["2001:1::1", "reserved", "protocol assignments, RFC 2928"],
  ["2001:2::1", "benchmarking", "RFC 5180"],
  ["2001:2:1::1", "reserved", "behind it"],
  ["2001:3::1", "reserved", "AMT"],
  ["2001:4:112::1", "reserved", "AS112"],
  ["2001:10::1", "reserved", "ORCHID"],
  ["2001:20::1", "reserved", "ORCHIDv2"],
  ["2001:30::1", "reserved", "drone identifiers"],
  ["2001:1ff:ffff::1", "reserved", "the last of RFC 2928"],
  ["2001:200::1", "public"],
  ["2001:4860:4860::8888", "public"],
  ["2001:db7:ffff::1", "public"],
  ["2001:db8::1", "documentation", "RFC 3849"],
  ["2001:db8:ffff::1", "documentation"],
  ["2001:db9::1", "public"],
  ["2002::1", "embedded_ipv4", "6to4"],
  ["2002:7f00:1::1", "embedded_ipv4", "6to4 of loopback"],
  ["2002:808:808::1", "embedded_ipv4", "6to4 of a public address"],
  ["2003::1", "public"],
  ["2606:4700::1111", "public"],
  ["2620:4f:8000::1", "reserved", "AS112"],
  ["3ffe::1", "reserved", "6bone, returned by RFC 3701"],
  ["3fff::1", "documentation", "RFC 9637"],
  ["3fff:fff::1", "documentation"],
  ["3fff:1000::1", "public"],
  ["4000::1", "reserved", "unallocated"],
  ["5f00::1", "reserved", "segment routing, RFC 9602"],
  ["8000::1", "reserved", "unallocated"],
  ["9000::1", "reserved", "unallocated"],
  ["fbff::1", "reserved", "below unique local"],
  ["fc00::1", "unique_local", "RFC 4193"],
  ["fdff:ffff::1", "unique_local"],
  ["fd00:ec2::254", "cloud_metadata", "AWS"],
  ["fd00:ec2::253", "unique_local", "AWS's name server has no secrets"],
  ["fd00:ec2::23", "cloud_metadata", "EKS"],
  ["fd20:ce::254", "cloud_metadata", "Google"],
  ["fd00:c1::a9fe:a9fe", "cloud_metadata", "Oracle"],
  ["fd00:42::42", "cloud_metadata", "Scaleway"],
  ["fd00:a9fe:a9fe::1", "cloud_metadata", "Akamai"],
  ["fd00:100::100:200", "cloud_metadata", "Alibaba"],
  ["fe00::1", "reserved", "unallocated"],
  ["fe80::1", "link_local"],
  ["fe80::a9fe:a9fe", "cloud_metadata", "OpenStack"],
  ["febf:ffff::1", "link_local"],
  ["fec0::1", "reserved", "site-local, RFC 3879"],
  ["ff00::1", "multicast"],
  ["ff02::1", "multicast"],
  ["ffff::1", "multicast"],
  ["2001:db8::5efe:a00:1", "embedded_ipv4", "ISATAP under any prefix"],
  ["2606:4700::5efe:7f00:1", "embedded_ipv4", "ISATAP under a public prefix"],
  ["2606:4700::200:5efe:808:808", "embedded_ipv4", "ISATAP with the global bit"],
  ["fe80::5efe:10.0.0.1", "embedded_ipv4", "ISATAP under link-local, which a policy can grant"],
  ["fc00::5efe:10.0.0.1", "embedded_ipv4", "ISATAP under unique local, which a policy can grant"],
  ["2606:4700::400:5efe:808:808", "public", "no ISATAP identifier"],
  ["2606:4700::5eff:808:808", "public", "no ISATAP identifier"],
];

describe("classifyAddress", () => {
  for (const [address, range, why] of rows) {
    test(`${address} is ${range}${why === undefined ? "" : `: ${why}`}`, () => {
      expect(classify(address)).toBe(range);
    });
  }

  test("calls no IPv6 address outside 2000::/3 public", () => {
    fc.assert(
      fc.property(ipv6Texts, (text) => {
        const first = parseIp(text)?.bytes[0] ?? 0;
        if (first >> 5 !== 1) expect(classify(text)).not.toBe("public");
      }),
      { numRuns: 2_000 },
    );
  });

  test("is total", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4Texts, ipv6Texts), (text) => {
        expect(typeof classify(text)).toBe("string");
      }),
    );
  });

  test("gives metadata addresses their own class and no other address", () => {
    fc.assert(
      fc.property(
        fc.oneof(ipv4Texts, ipv6Texts, fc.constantFrom(...rows.map(([address]) => address))),
        (text) => {
          const ip = parseIp(text);
          expect(ip && isMetadataAddress(ip)).toBe(classify(text) === "cloud_metadata");
        },
      ),
    );
  });
});

function classify(text: string): string {
  const ip = parseIp(text);
  return ip === undefined ? "no address" : classifyAddress(ip);
}
