// The limits and connections of every guest under every policy that is in force.
// It must never let two guests, or two policies of one guest, share a connection or a limit.
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Policy } from "../policy/policy.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { openConnectionPool } from "./connection-pool.ts";
import type { GuestLimiter, RunLimiter } from "./limiter.ts";
import { openGuestLimiter } from "./limiter.ts";

/** What a guest holds under one policy, for as long as somebody uses it. */
export interface GenerationLease {
  readonly policy: Policy;
  readonly policySha256: string;
  readonly limiter: GuestLimiter;
  readonly pool: ConnectionPool;
  /** The budgets of host-side fetches, which belong to no run. */
  fetchBudget(): RunLimiter;
  /** Gives the lease back. `retire` when the policy was replaced: idle connections close at once. */
  release(options?: { readonly retire?: boolean }): void;
}

/** Hands out leases. */
export interface Generations {
  lease(guest: string, policy: Policy, policySha256: string): GenerationLease;
  /** Closes every connection. */
  close(): void;
}

interface Entry {
  readonly policySha256: string;
  readonly limiter: GuestLimiter;
  readonly pool: ConnectionPool;
  fetchBudget: RunLimiter | undefined;
  leases: number;
}

/** Opens the registry. `ca` are extra certificate authorities in PEM form. */
export function openGenerations(options: {
  readonly ca?: readonly string[];
  readonly clock: Clock;
}): Generations {
  const { clock, ca } = options;
  // In order of last use. An idle guest is forgotten after many others: its rates start afresh then.
  const entries = new Map<string, Entry>();

  function lease(guest: string, policy: Policy, policySha256: string): GenerationLease {
    const key = `${policySha256} ${guest}`;
    const entry = entries.get(key) ?? {
      policySha256,
      limiter: openGuestLimiter(policy.limits, clock),
      pool: openConnectionPool({ clock, ...(ca === undefined ? {} : { ca }) }),
      fetchBudget: undefined,
      leases: 0,
    };
    entries.delete(key);
    entries.set(key, entry);
    entry.leases += 1;
    forgetIdle();
    let released = false;
    return {
      policy,
      policySha256,
      limiter: entry.limiter,
      pool: entry.pool,
      fetchBudget: () => (entry.fetchBudget ??= entry.limiter.openBudget(undefined)),
      release({ retire = false } = {}) {
        if (released) return;
        released = true;
        entry.leases -= 1;
        if (retire && entry.leases === 0) {
          entry.pool.retire();
          if (entries.get(key) === entry) entries.delete(key);
        }
      },
    };
  }

  function forgetIdle(): void {
    if (entries.size <= bounds.guestsKnownMax) return;
    for (const [key, entry] of entries) {
      if (entry.leases > 0) continue;
      entry.pool.destroy();
      entries.delete(key);
      return;
    }
  }

  function close(): void {
    for (const entry of entries.values()) entry.pool.destroy();
    entries.clear();
  }

  return { lease, close };
}
