// The limits and connections of every guest under every policy that is in force.
// It must never let two guests, or two policies of one guest, share a connection or a limit.
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Policy } from "../policy/policy.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { openConnectionPool } from "./connection-pool.ts";
import type { GuestLimiter, GuestSlots, RunSpending } from "./limiter.ts";
import { openGuestLimiter, openGuestSlots, openRunSpending } from "./limiter.ts";

/** What a guest holds under one policy, for as long as somebody uses it. */
export interface GenerationLease {
  readonly policy: Policy;
  readonly policySha256: string;
  readonly limiter: GuestLimiter;
  readonly pool: ConnectionPool;
  /** What host-side fetches have used up: they belong to no run and share one budget for as long as the guest is known. */
  readonly fetchSpending: RunSpending;
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
  readonly limiter: GuestLimiter;
  readonly pool: ConnectionPool;
  readonly fetchSpending: RunSpending;
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
  // What a guest holds is counted over all its policies; known only while it holds something or has an entry.
  const slots = new Map<string, GuestSlots>();

  function lease(guest: string, policy: Policy, policySha256: string): GenerationLease {
    const key = `${policySha256} ${guest}`;
    const entry = entries.get(key) ?? openEntry(guest, policy);
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
      fetchSpending: entry.fetchSpending,
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

  function openEntry(guest: string, policy: Policy): Entry {
    const held = slots.get(guest) ?? openGuestSlots();
    slots.set(guest, held);
    return {
      limiter: openGuestLimiter(policy.limits, clock, held),
      pool: openConnectionPool({ clock, ...(ca === undefined ? {} : { ca }) }),
      fetchSpending: openRunSpending(),
      leases: 0,
    };
  }

  function forgetIdle(): void {
    if (slots.size > 2 * bounds.guestsKnownMax) {
      for (const [guest, { inFlight }] of slots) if (inFlight === 0) slots.delete(guest);
    }
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
    slots.clear();
  }

  return { lease, close };
}
