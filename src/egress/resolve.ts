// Where a destination leads: one look-up of its name, every answer read strictly and vetted, or none is used.
// It must never return an address that was not vetted, nor ask twice: a second answer may be another one.
import { ADDRCONFIG, lookup } from "node:dns";
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { AddressRange } from "../core/reason.ts";
import { recordText } from "../core/record-text.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { vetAddresses } from "../policy/addresses.ts";
import type { AddressPolicy } from "../policy/policy.ts";
import { classifyAddress } from "../url/address-range.ts";
import type { Destination } from "../url/destination.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { parseIp } from "../url/ip-address.ts";
import type { Denial } from "./message.ts";
import { denialOfSignal, wireDenial, wireFault } from "./wire-fault.ts";

/**
 * Finds the addresses of a name. Rejects with an error whose `code` is one of `dns.lookup` (`ENOTFOUND`,
 * `EAI_AGAIN`, ...). Its answers are text that is not trusted. `signal` aborts when nobody waits any longer.
 */
export type Resolver = (
  name: string,
  options: { readonly signal: AbortSignal },
) => Promise<readonly string[]>;

/** A destination's vetted addresses, in the order of the answer. */
export interface Resolved {
  readonly addresses: readonly IpAddress[];
  /** The answers as text, for the record; empty for an IP literal. */
  readonly answers: readonly string[];
  /** Milliseconds that the look-up took; 0 for an IP literal. */
  readonly dnsMs: number;
}

/** What `resolveDestination` stands on. */
export interface ResolveParts {
  readonly resolver: Resolver;
  readonly addressPolicy: AddressPolicy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether an address is one of this machine's own. */
  readonly isSelf?: (ip: IpAddress) => boolean;
}

/** The machine's own resolver, as every other program on it sees names. A look-up cannot be called back: it is left to end. */
export const systemResolver: Resolver = (name) =>
  new Promise((resolve, reject) => {
    lookup(name, { all: true, order: "verbatim", hints: ADDRCONFIG }, (error, answers) => {
      if (error === null) resolve(answers.map(({ address }) => address));
      else reject(error);
    });
  });

/** Answers the listed names itself and asks `fallback` for the others. Names are compared in lower case, without a trailing dot. */
export function staticResolver(
  answers: Readonly<Record<string, readonly string[]>>,
  fallback: Resolver,
): Resolver {
  const known = new Map(Object.entries(answers).map(([name, list]) => [plainName(name), [...list]]));
  return async (name, options) => known.get(plainName(name)) ?? fallback(name, options);
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** Resolves and vets. An IP literal is its own answer and is vetted like any other. Never rejects. */
export async function resolveDestination(
  destination: Destination,
  parts: ResolveParts,
): Promise<Result<Resolved, Denial>> {
  const { host } = destination;
  if (host.kind !== "name") return vet([host.ip], [], 0, parts);

  const startMs = parts.clock.monotonicMs();
  const asked = await ask(host.name, parts);
  if (!asked.ok) return asked;
  const dnsMs = parts.clock.monotonicMs() - startMs;
  if (asked.value.length === 0) return err(wireDenial("dns_no_address", "the answer is empty"));
  // Looking at the first ones only would let the others through unseen.
  if (asked.value.length > bounds.answersMax) {
    return err(wireDenial("dns_failed", `more than ${bounds.answersMax} addresses in one answer`));
  }
  const addresses: IpAddress[] = [];
  for (const answer of asked.value) {
    const ip = typeof answer === "string" ? parseIp(answer) : undefined;
    // Node dials `::1%1`, `127.1` and the like; one such answer spoils the others.
    if (ip === undefined) return err(unreadable(answer));
    if (!addresses.some(({ text }) => text === ip.text)) addresses.push(ip);
  }
  return vet(addresses, asked.value.map(String), dnsMs, parts);
}

// One look-up, raced against its own timeout and the request's signal.
function ask(name: string, parts: ResolveParts): Promise<Result<readonly unknown[], Denial>> {
  const { resolver, clock, signal } = parts;
  if (signal.aborted) return Promise.resolve(err(denialOfSignal(signal)));
  return new Promise((resolve) => {
    const abandon = new AbortController();
    let settled = false;
    const settle = (result: Result<readonly unknown[], Denial>): void => {
      if (settled) return;
      settled = true;
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      resolve(result);
      abandon.abort();
    };
    const onAbort = (): void => settle(err(denialOfSignal(signal)));
    const onFailure = (error: unknown): void => settle(err(wireFault(error, "dns")));
    const cancelTimer = clock.schedule(bounds.dnsTimeoutMs, () => {
      settle(err(wireDenial("dns_timeout", `no answer within ${bounds.dnsTimeoutMs} ms`)));
    });
    signal.addEventListener("abort", onAbort);
    try {
      // A resolver is the embedder's code: it may throw, and what it returns may be anything.
      Promise.resolve(resolver(name, { signal: abandon.signal })).then((answers: unknown) => {
        if (Array.isArray(answers)) settle(ok(answers));
        else settle(err(wireDenial("dns_failed", "the resolver returned no list")));
      }, onFailure);
    } catch (error) {
      onFailure(error);
    }
  });
}

// INVARIANT (vetted or nothing): the only place that makes a Resolved.
function vet(
  addresses: readonly IpAddress[],
  answers: readonly string[],
  dnsMs: number,
  { addressPolicy, isSelf }: ResolveParts,
): Result<Resolved, Denial> {
  const verdict = vetAddresses(addressPolicy, addresses, isSelf);
  if (verdict.ok) return ok({ addresses, answers, dnsMs });
  const { address, range, rule } = verdict;
  return err({
    ...wireDenial("address_forbidden"),
    address,
    range,
    ...(rule === undefined ? {} : { rule: rule.id }),
  });
}

function unreadable(answer: unknown): Denial {
  const text = typeof answer === "string" ? answer : typeof answer;
  const [beforeZone = ""] = text.split("%");
  const ip = parseIp(beforeZone);
  const found = ip === undefined ? "public" : classifyAddress(ip);
  const range: AddressRange = found === "public" ? "reserved" : found;
  const detail = "the resolver answered with something other than a plain IP address";
  return { ...wireDenial("address_forbidden", detail), address: recordText(text, 64), range };
}
