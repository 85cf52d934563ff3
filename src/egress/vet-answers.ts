// What a resolver's answer is worth: every part of it read strictly and vetted, or none of it used. Pure.
// `policy explain` stands on it as the gate does, with the answers that its user names.
import { bounds } from "../core/bounds.ts";
import type { AddressRange } from "../core/reason.ts";
import { recordText } from "../core/record-text.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { vetAddresses } from "../policy/addresses.ts";
import type { AddressPolicy } from "../policy/policy.ts";
import { classifyAddress } from "../url/address-range.ts";
import type { Host } from "../url/destination.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { parseIp } from "../url/ip-address.ts";
import { denialOf } from "./denial.ts";
import type { Denial } from "./message.ts";

/**
 * The addresses behind a host, in the order of the answer and without repeats. An IP literal is its own answer.
 * `isSelf` tells whether a public address is this machine's own.
 */
export function vetAnswers(
  host: Host,
  answers: readonly unknown[],
  grants: AddressPolicy,
  isSelf?: (ip: IpAddress) => boolean,
): Result<readonly IpAddress[], Denial> {
  if (host.kind !== "name") return vet([host.ip], grants, isSelf);
  if (answers.length === 0) return err(denialOf("dns_no_address", "the answer is empty"));
  // Looking at the first ones only would let the others through unseen.
  if (answers.length > bounds.answersMax) {
    return err(denialOf("dns_failed", `more than ${bounds.answersMax} addresses in one answer`));
  }
  const addresses: IpAddress[] = [];
  for (const answer of answers) {
    const ip = typeof answer === "string" ? parseIp(answer) : undefined;
    // Node dials `::1%1`, `127.1` and the like; one such answer spoils the others.
    if (ip === undefined) return err(unreadable(answer));
    if (!addresses.some(({ text }) => text === ip.text)) addresses.push(ip);
  }
  return vet(addresses, grants, isSelf);
}

function vet(
  addresses: readonly IpAddress[],
  grants: AddressPolicy,
  isSelf: ((ip: IpAddress) => boolean) | undefined,
): Result<readonly IpAddress[], Denial> {
  const verdict = vetAddresses(grants, addresses, isSelf);
  if (verdict.ok) return ok(addresses);
  const { address, range, rule } = verdict;
  const denial = { ...denialOf("address_forbidden"), address, range };
  return err(rule === undefined ? denial : { ...denial, rule: rule.id });
}

function unreadable(answer: unknown): Denial {
  const text = typeof answer === "string" ? answer : typeof answer;
  const [beforeZone = ""] = text.split("%");
  const ip = parseIp(beforeZone);
  const found = ip === undefined ? "public" : classifyAddress(ip);
  const range: AddressRange = found === "public" ? "reserved" : found;
  const detail = "the resolver answered with something other than a plain IP address";
  return { ...denialOf("address_forbidden", detail), address: recordText(text, 64), range };
}
