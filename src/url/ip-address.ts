// IP addresses and ranges as values, read from strict text: what resolvers, sockets and policies write.
// Never lenient: the shorthands of URLs (`0x7f.1`, `127.1`) are the URL parser's business and arrive here as plain text.

import { err, ok, type Result } from "../core/result.ts";

/** One address. An IPv4-mapped IPv6 address is the IPv4 address that it maps. */
export interface IpAddress {
  readonly family: 4 | 6;
  /** Canonical, unbracketed: dotted decimal, or RFC 5952 in lower case without a dotted tail. */
  readonly text: string;
  /** 4 or 16 octets in network order; not to be written to. */
  readonly bytes: Uint8Array;
}

/** A range of addresses: all that share the first `prefix` bits with `bytes`. */
export interface Cidr {
  readonly family: 4 | 6;
  /** The first address of the range; not to be written to. */
  readonly bytes: Uint8Array;
  /** Bits: 0 to 32, or 0 to 128. */
  readonly prefix: number;
  /** Canonical, always with its prefix. */
  readonly text: string;
}

/**
 * Reads one address. `undefined` for anything that two programs could read in two ways: zone ids,
 * shorthands, leading zeros, brackets, ports, prefixes, white space.
 */
export function parseIp(text: string): IpAddress | undefined {
  const bytes = readBytes(text);
  return bytes === undefined ? undefined : ipFromBytes(bytes);
}

/** Makes an address of 4 or 16 octets. INVARIANT (mapped is IPv4): no IpAddress is an IPv4-mapped one. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  const own = isMapped(bytes) ? bytes.slice(12) : bytes.slice();
  return Object.freeze({ family: own.length === 4 ? 4 : 6, text: formatBytes(own), bytes: own });
}

/**
 * Reads a range. An address without a prefix is the range of that address alone. Host bits must be
 * zero, since `10.0.0.1/8` means one address to some readers and sixteen million to others. The error is a
 * sentence part that ends in the right spelling where there is one.
 */
export function parseCidr(text: string): Result<Cidr, string> {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  const bytes = readBytes(address);
  if (bytes === undefined) return err(notAnAddress(address, slash === -1 ? "" : text.slice(slash)));
  const bits = bytes.length * 8;
  const prefixText = slash === -1 ? String(bits) : text.slice(slash + 1);
  // Number() and parseInt() would take `08`, `+8`, `8.0` and `0x8`.
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefixText) || Number(prefixText) > bits) {
    return err(`the prefix must be a plain number from 0 to ${bits}`);
  }
  const prefix = Number(prefixText);
  if (isMapped(bytes)) {
    // A request never has such an address, so a range of them would match nothing.
    const start = ipFromBytes(maskBytes(bytes, prefix)).text;
    return err(`IPv4-mapped addresses are IPv4 addresses; write ${start}/${Math.max(prefix - 96, 0)}`);
  }
  const masked = maskBytes(bytes, prefix);
  const canonical = `${formatBytes(masked)}/${prefix}`;
  if (masked.some((octet, index) => octet !== bytes[index])) {
    return err(`the address has bits set behind the prefix; write ${canonical}`);
  }
  return ok(Object.freeze({ family: bytes.length === 4 ? 4 : 6, bytes: masked, prefix, text: canonical }));
}

/** Whether an address lies in a range; addresses of the other family never do. */
export function cidrContains(cidr: Cidr, ip: IpAddress): boolean {
  if (cidr.family !== ip.family) return false;
  const whole = cidr.prefix >> 3;
  for (let index = 0; index < whole; index += 1) {
    if (cidr.bytes[index] !== ip.bytes[index]) return false;
  }
  const rest = cidr.prefix & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((cidr.bytes[whole] ?? 0) & mask) === ((ip.bytes[whole] ?? 0) & mask);
}

function readBytes(text: string): Uint8Array | undefined {
  // 45 characters is the longest form, `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`.
  if (text.length > 45) return undefined;
  return text.includes(":") ? readIpv6(text) : readIpv4(text);
}

// A leading zero is octal to inet_aton and decimal to others (CVE-2021-28918), so it is neither here.
const decimalOctet = /^(?:0|[1-9][0-9]{0,2})$/;

function readIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!decimalOctet.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

// RFC 4291 section 2.2. The dotted tail is read strictly; ipaddr.js takes `::ffff:0x7f.0.0.1` and gives
// `::127.0.0.1` another address, hence no library here.
function readIpv6(text: string): Uint8Array | undefined {
  const gap = text.indexOf("::");
  if (gap === -1) {
    const groups = readGroups(text, true);
    return groups?.length === 16 ? Uint8Array.from(groups) : undefined;
  }
  const head = readGroups(text.slice(0, gap), false);
  const tail = readGroups(text.slice(gap + 2), true);
  // `::` stands for one group or more (RFC 5952 section 4.2.2 allows one on input).
  if (head === undefined || tail === undefined || head.length + tail.length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function readGroups(text: string, dottedTailAllowed: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const dotted = dottedTailAllowed && index === groups.length - 1 ? readIpv4(group) : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  return bytes.subarray(0, 10).every((octet) => octet === 0);
}

function maskBytes(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((octet, index) => octet & (0xff << (8 - Math.min(Math.max(prefix - index * 8, 0), 8))));
}

function formatBytes(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}

// RFC 5952 section 4, with the one liberty of WHATWG URL that no address gets a dotted tail.
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => (bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0),
  );
  let gapStart = -1;
  let gapLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let end = start;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - start > gapLength) {
      gapStart = start;
      gapLength = end - start;
    }
  }
  const text = groups.map((group) => group.toString(16));
  if (gapStart === -1) return text.join(":");
  return `${text.slice(0, gapStart).join(":")}::${text.slice(gapStart + gapLength).join(":")}`;
}

function notAnAddress(text: string, rest: string): string {
  const completed = completeIpv4(text);
  const hint = completed === undefined ? "" : `; write ${completed}${rest}`;
  return `${JSON.stringify(text)} is not an IP address in plain form${hint}`;
}

// `10/8` and `010.0.0.0/8` have one likely meaning each; anything else gets no guess.
function completeIpv4(text: string): string | undefined {
  const parts = text.split(".");
  if (parts.length > 4 || !parts.every((part) => /^[0-9]{1,3}$/.test(part))) return undefined;
  if (parts.some((part) => part.length > 1 && part.startsWith("0"))) return undefined;
  if (parts.some((part) => Number(part) > 255)) return undefined;
  return [...parts, "0", "0", "0"].slice(0, 4).join(".");
}
