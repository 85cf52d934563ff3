// Where a destination leads: one look-up of its name, every answer read strictly and vetted, or none is used.
// It must never return an address that was not vetted, nor ask twice: a second answer may be another one.

import { ADDRCONFIG, lookup } from "node:dns";
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { AddressPolicy } from "../policy/policy.ts";
import type { Destination } from "../url/destination.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { denialOf, denialOfSignal } from "./denial.ts";
import type { Denial } from "./message.ts";
import { vetAnswers } from "./vet-answers.ts";
import { wireFault } from "./wire-fault.ts";

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
  const startMs = parts.clock.monotonicMs();
  const asked = host.kind === "name" ? await ask(host.name, parts) : ok([]);
  if (!asked.ok) return asked;
  const dnsMs = host.kind === "name" ? parts.clock.monotonicMs() - startMs : 0;
  // INVARIANT (vetted or nothing): the only place that makes a Resolved.
  const vetted = vetAnswers(host, asked.value, parts.addressPolicy, parts.isSelf);
  if (!vetted.ok) return vetted;
  return ok({ addresses: vetted.value, answers: asked.value.map(String), dnsMs });
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
      settle(err(denialOf("dns_timeout", `no answer within ${bounds.dnsTimeoutMs} ms`)));
    });
    signal.addEventListener("abort", onAbort);
    try {
      // A resolver is the embedder's code: it may throw, and what it returns may be anything.
      Promise.resolve(resolver(name, { signal: abandon.signal })).then((answers: unknown) => {
        if (Array.isArray(answers)) settle(ok(answers));
        else settle(err(denialOf("dns_failed", "the resolver returned no list")));
      }, onFailure);
    } catch (error) {
      onFailure(error);
    }
  });
}
