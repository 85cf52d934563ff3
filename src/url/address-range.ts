// The class of an address: public, or which kind of special. Public is what is known to be public; a range that nobody
// has thought of is reserved. Whether a special address may be reached is the policy's business, not this file's.

import ipaddr from "ipaddr.js";
import { assert } from "../core/assert.ts";
import type { AddressRange } from "../core/reason.ts";
import { type Cidr, cidrContains, type IpAddress, parseCidr } from "./ip-address.ts";

/** The class of an address; `self` is never one, since it depends on the machine. */
export function classifyAddress(ip: IpAddress): AddressRange | "public" {
  if (isMetadataAddress(ip)) return "cloud_metadata";
  return ip.family === 4 ? classifyIpv4(ip) : classifyIpv6(ip);
}

/** Whether a cloud answers there with the machine's own secrets. */
export function isMetadataAddress(ip: IpAddress): boolean {
  return metadataAddresses.has(ip.text);
}

// One address each: its neighbours are what their range is. Sources: the clouds' own documentation,
// cloud-init's data sources, and the SDKs that ask there.
const metadataAddresses: ReadonlySet<string> = new Set([
  "169.254.169.254", // AWS, Google, Azure, Oracle, OpenStack, DigitalOcean, Hetzner and most others
  "169.254.169.252", // Google Kubernetes Engine's metadata server, behind the address above
  "169.254.170.2", // AWS ECS task credentials
  "169.254.170.23", // AWS EKS Pod Identity
  "169.254.0.23", // Tencent
  "169.254.42.42", // Scaleway
  "100.100.100.200", // Alibaba
  "100.96.0.96", // Volcengine
  "192.0.0.192", // Oracle Cloud Infrastructure Classic
  "168.63.129.16", // Azure WireServer: an ordinary public address by its number
  "fd00:ec2::254", // AWS
  "fd00:ec2::23", // AWS EKS Pod Identity
  "fd20:ce::254", // Google
  "fd00:c1::a9fe:a9fe", // Oracle
  "fd00:42::42", // Scaleway
  "fd00:a9fe:a9fe::1", // Akamai (Linode)
  "fd00:100::100:200", // Alibaba
  "fe80::a9fe:a9fe", // OpenStack
]);

const documentation = [
  range("192.0.2.0/24"), // RFC 5737
  range("198.51.100.0/24"),
  range("203.0.113.0/24"),
  range("2001:db8::/32"), // RFC 3849
  range("3fff::/20"), // RFC 9637
];
const benchmarkingIpv4 = range("198.18.0.0/15"); // RFC 2544

const loopbackIpv6 = range("::1/128");
const unspecifiedIpv6 = range("::/128");
const ipv4Compatible = range("::/96"); // RFC 4291 section 2.5.5.1; ipaddr.js has it as unicast
const globalUnicast = range("2000::/3"); // RFC 4291 section 2.4 with IANA's allocations
const returnedSixBone = range("3ffe::/16"); // RFC 3701; ipaddr.js has it as unicast

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  assert(cidr.ok, `${text} is a range`);
  return cidr.value;
}

function contains(cidrs: readonly Cidr[], ip: IpAddress): boolean {
  return cidrs.some((cidr) => cidrContains(cidr, ip));
}

function classifyIpv4(ip: IpAddress): AddressRange | "public" {
  // Octets, never text: ipaddr.js reads `0177.0.0.1` and `127.1`.
  const name = new ipaddr.IPv4([...ip.bytes]).range();
  switch (name) {
    case "unicast":
      return "public";
    case "reserved":
      if (contains(documentation, ip)) return "documentation";
      return cidrContains(benchmarkingIpv4, ip) ? "benchmarking" : "reserved";
    default:
      return special(name);
  }
}

function classifyIpv6(ip: IpAddress): AddressRange | "public" {
  if (cidrContains(unspecifiedIpv6, ip)) return "unspecified";
  if (cidrContains(loopbackIpv6, ip)) return "loopback";
  const name = new ipaddr.IPv6([...ip.bytes]).range();
  if (name === "multicast") return "multicast";
  // Before every range that a policy can grant: `fe80::5efe:a00:1` is the address 10.0.0.1 behind a tunnel.
  if (cidrContains(ipv4Compatible, ip) || isIsatap(ip)) return "embedded_ipv4";
  if (contains(documentation, ip)) return "documentation";
  if (name !== "unicast") return special(name);
  // INVARIANT (public by construction): what is outside the allocated space is reserved, known to a list or not.
  const allocated = cidrContains(globalUnicast, ip) && !cidrContains(returnedSixBone, ip);
  return allocated ? "public" : "reserved";
}

// RFC 5214 section 6.1: the interface identifier is 00-00-5E-FE, or 02-00-5E-FE with the global bit, and then the IPv4 address.
function isIsatap(ip: IpAddress): boolean {
  const [universal, zero, high, low] = ip.bytes.subarray(8, 12);
  return ((universal ?? 0) & 0xfc) === 0 && zero === 0 && high === 0x5e && low === 0xfe;
}

function special(name: string): AddressRange {
  return rangeNames.get(name) ?? "reserved";
}

// ipaddr.js's words for ours. What is not here is reserved.
const rangeNames: ReadonlyMap<string, AddressRange> = new Map<string, AddressRange>([
  ["unspecified", "unspecified"],
  ["broadcast", "broadcast"],
  ["multicast", "multicast"],
  ["linkLocal", "link_local"],
  ["loopback", "loopback"],
  ["carrierGradeNat", "cgnat"],
  ["private", "private"],
  ["uniqueLocal", "unique_local"],
  ["benchmarking", "benchmarking"],
  ["ipv4Mapped", "embedded_ipv4"],
  ["rfc6145", "embedded_ipv4"],
  ["rfc6052", "embedded_ipv4"],
  ["6to4", "embedded_ipv4"],
  ["teredo", "embedded_ipv4"],
]);
