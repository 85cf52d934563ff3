// Judges resolved addresses. One bad answer refuses the whole answer; deny rules come before every grant, and some
// classes are never granted. Whether a name may be asked for at all is decide's business.

import type { AddressRange } from "../core/reason.ts";
import { err, ok, type Result } from "../core/result.ts";
import { classifyAddress } from "../url/address-range.ts";
import { type Cidr, cidrContains, type IpAddress, parseCidr, parseIp } from "../url/ip-address.ts";
import { namedRanges } from "./named-range.ts";
import type { AddressGrant, AddressGrantName, AddressPolicy, DeniedAddresses, Rule } from "./policy.ts";
import { type Finding, shown } from "./problem.ts";
import { nearestWord, wordList } from "./spelling.ts";

/** The judgement of one answer; a refusal names the first bad address. */
export type AddressVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Canonical text. */
      readonly address: string;
      readonly range: AddressRange | "denied_by_rule";
      /** The deny rule that lists the range. */
      readonly rule?: Rule;
    };

/**
 * Judges all addresses of one answer. `isSelf` tells the public addresses of this very machine, which need a
 * grant like special ones do. Deny rules are looked at first, over all addresses, so that the outcome
 * does not depend on their order.
 */
export function vetAddresses(
  policy: AddressPolicy,
  addresses: readonly IpAddress[],
  isSelf: (ip: IpAddress) => boolean = () => false,
): AddressVerdict {
  for (const ip of addresses) {
    const denied = policy.denied.find(({ grants }) => grants.some((grant) => covers(grant, ip)));
    if (denied !== undefined)
      return { ok: false, address: ip.text, range: "denied_by_rule", rule: denied.rule };
  }
  if (policy.everything) {
    // A denied range could be reached through an address that hides another one in itself.
    const hiding =
      policy.denied.length > 0 ? addresses.find((ip) => classifyAddress(ip) === "embedded_ipv4") : undefined;
    return hiding === undefined ? { ok: true } : { ok: false, address: hiding.text, range: "embedded_ipv4" };
  }
  for (const ip of addresses) {
    const range = refusedRange(policy.grants, ip, isSelf);
    if (range !== undefined) return { ok: false, address: ip.text, range };
  }
  return { ok: true };
}

function refusedRange(
  grants: readonly AddressGrant[],
  ip: IpAddress,
  isSelf: (ip: IpAddress) => boolean,
): AddressRange | undefined {
  const range = classifyAddress(ip);
  switch (range) {
    case "public":
      return isSelf(ip) && !grants.some((grant) => covers(grant, ip)) ? "self" : undefined;
    case "embedded_ipv4":
      // The address that would be reached is not the one that a grant shows.
      return range;
    case "cloud_metadata":
      // Credentials of the machine itself: nobody opens that by granting a whole range.
      return grants.some((grant) => coversExactly(grant, ip)) ? undefined : range;
    default:
      return grants.some((grant) => covers(grant, ip)) ? undefined : range;
  }
}

function covers(grant: AddressGrant, ip: IpAddress): boolean {
  const cidrs = grant.kind === "cidr" ? [grant.cidr] : namedRanges[grant.name];
  return cidrs.some((cidr) => cidrContains(cidr, ip));
}

function coversExactly(grant: AddressGrant, ip: IpAddress): boolean {
  return grant.kind === "cidr" && isSingle(grant.cidr) && cidrContains(grant.cidr, ip);
}

function isSingle(cidr: Cidr): boolean {
  return cidr.prefix === cidr.bytes.length * 8;
}

/** The grant of one address, as an exact literal pattern makes it. */
export function grantOfAddress(text: string): AddressGrant | undefined {
  const cidr = parseCidr(text);
  return cidr.ok ? { kind: "cidr", cidr: cidr.value } : undefined;
}

/** A grant in canonical form; equal texts are equal grants. */
export function grantText(grant: AddressGrant): string {
  return grant.kind === "cidr" ? grant.cidr.text : grant.name;
}

/** Brings grants together; the key is made of what they are, not of the order in which they came. */
export function makeAddressPolicy(
  everything: boolean,
  grants: readonly AddressGrant[],
  denied: readonly DeniedAddresses[],
): AddressPolicy {
  if (!everything && grants.length === 0 && denied.length === 0) return nothingGranted;
  const unique = uniqueGrants(grants);
  const rules = [...new Map(denied.map((entry) => [entry.rule.id, entry])).values()].toSorted((a, b) =>
    a.rule.id < b.rule.id ? -1 : 1,
  );
  const deniedKey = rules.map(
    (entry) => `${entry.rule.id}=${uniqueGrants(entry.grants).map(grantText).join(",")}`,
  );
  const key = [everything ? "everything" : "", unique.map(grantText).join(","), ...deniedKey].join(" ");
  return Object.freeze({ key, everything, grants: unique, denied: rules });
}

/** Public addresses only. */
export const nothingGranted: AddressPolicy = Object.freeze({
  key: "",
  everything: false,
  grants: [],
  denied: [],
});

/** Sorted by their text, each once. */
export function uniqueGrants(grants: readonly AddressGrant[]): readonly AddressGrant[] {
  if (grants.length < 2) return grants;
  const byText = new Map(grants.map((grant) => [grantText(grant), grant]));
  return [...byText.keys()].toSorted().flatMap((text) => byText.get(text) ?? []);
}

const grantNames = Object.keys(namedRanges) as readonly AddressGrantName[];

/** Reads an entry of `addresses`: a range, one address, or the name of a range. */
export function parseAddressGrant(text: string): Result<AddressGrant, Finding> {
  const name = grantNames.find((known) => known === text);
  if (name !== undefined) return ok({ kind: "name", name });
  const cidr = parseCidr(text.replace(/^\[([^\]]*)\]$/, "$1"));
  if (cidr.ok && !text.startsWith("[")) return ok({ kind: "cidr", cidr: cidr.value });
  const names = `ranges are addresses, CIDR ranges, ${wordList(grantNames, "and")}`;
  if (cidr.ok) return invalid(`${shown(text)} has brackets, which only patterns have`, cidr.value.text);
  if (/^(?:cloud_?)?metadata$/i.test(text)) {
    return invalid(`metadata addresses are granted one by one; ${names}`, "169.254.169.254");
  }
  if (/[/.:]/.test(text) && !/[g-z]/i.test(text)) {
    const [message = "", meant] = cidr.error.split("; write ");
    return invalid(`${shown(text)} is not an address range: ${message}`, meant ?? "10.0.0.0/8");
  }
  const remedy = nearestWord(text, grantNames) ?? "10.0.0.0/8";
  return invalid(`${shown(text)} is not a range; ${names}`, remedy);
}

/** What is doubtful about a grant that was read. */
export function grantWarning(grant: AddressGrant): Finding | undefined {
  if (grant.kind === "name") return undefined;
  const { cidr } = grant;
  if (cidr.prefix === 0) {
    const message = `${shown(cidr.text)} is every special-purpose address, this machine's own included`;
    return { code: "wide_grant", message, remedy: "the range that the name leads to" };
  }
  const first = parseIp(cidr.text.slice(0, cidr.text.indexOf("/")));
  if (first === undefined || cidr.prefix < 96 || classifyAddress(first) !== "embedded_ipv4") return undefined;
  const message = `${shown(cidr.text)} holds IPv4 addresses in IPv6 ones; such addresses are always refused`;
  return { code: "never_matches", message, remedy: "the IPv4 range itself" };
}

function invalid(message: string, remedy: string): { readonly ok: false; readonly error: Finding } {
  return err({ code: "invalid_address", message, remedy });
}
