// Rates, permits and budgets of one guest under one policy, and of each of its rules.
// It must never hand out a permit that nobody gives back, nor let a guest outlive its budgets by trapping:
// rates and permits belong to the guest's name, budgets to one run.

import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Reason } from "../core/reason.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { ResolvedLimits } from "../policy/policy.ts";
import type { RateLimit } from "./rate-limit.ts";
import { openRateLimit } from "./rate-limit.ts";

/** Which limit was met, for the records. */
export interface LimitFault {
  readonly reason: Extract<
    Reason,
    "rate_limited" | "concurrency_exceeded" | "request_budget_exhausted" | "byte_budget_exhausted"
  >;
  /** `guest.rate`, `rule.concurrent`, ... */
  readonly limit: string;
  readonly value: number;
  /** When it can be otherwise: milliseconds from now, or `release` when a permit has to come back first. Absent: never. */
  readonly retry?: number | "release";
}

/** A held concurrency slot. */
export interface Permit {
  /** Gives the slot back; a second call does nothing, so that no path can give it back twice. */
  release(): void;
}

interface Gauge {
  inFlight: number;
  readonly rate: RateLimit;
}

/** What one rule, or the guest as a whole, has used up in one run. */
interface Spent {
  requests: number;
  bytesOut: number;
  bytesIn: number;
}

/** What one run holds and has used up. It outlives a policy that is replaced, so that a new one brings no fresh budget. */
export interface RunSpending {
  inFlight: number;
  readonly guest: Spent;
  readonly rules: Map<string, Spent>;
}

/** Slots that a guest holds, under whichever policies. */
export interface GuestSlots {
  inFlight: number;
  /** Who waits for one. Bounded by the requests under way that wait, of which every run and fetch has its own few. */
  readonly waiting: Set<() => void>;
}

/** A run that has used up nothing. */
export function openRunSpending(): RunSpending {
  return { inFlight: 0, guest: nothingSpent(), rules: new Map() };
}

/** A guest that holds nothing. */
export function openGuestSlots(): GuestSlots {
  return { inFlight: 0, waiting: new Set() };
}

/** The limits of one guest under one policy generation; shared by the guest's runs. */
export interface GuestLimiter {
  /** Opens the limits of one run. `concurrentMax` is the embedder's own, tighter cap. */
  openRun(spending: RunSpending, concurrentMax: number | undefined): RunLimiter;
  /** Slots held at this moment. */
  inFlight(): number;
}

/** The limits as one run sees them. A refusal takes nothing: neither a place in a rate nor a permit. */
export interface RunLimiter {
  /** Admits one hop: rate, then concurrency, then budgets. A redirect's hop trades in the permit that it has. */
  admit(ruleId: string, limits: ResolvedLimits, held: Permit | undefined): Result<Permit, LimitFault>;
  /** Whether another name may be resolved this minute. */
  admitName(name: string): Result<void, LimitFault>;
  /** Counts request bytes before they are sent. */
  spendOut(ruleId: string, limits: ResolvedLimits, bytes: number): Result<void, LimitFault>;
  /** Counts response bytes as they come; a failure ends the response. */
  spendIn(ruleId: string, limits: ResolvedLimits, bytes: number): Result<void, LimitFault>;
  /** Calls back once, when the guest next gives a permit back; the returned function cancels. */
  onRelease(callback: () => void): () => void;
}

const namesWindowMs = 60_000;

/** Opens the limits of a guest. `guestLimits` are those of its policy as a whole. */
export function openGuestLimiter(
  guestLimits: ResolvedLimits,
  clock: Clock,
  slots: GuestSlots = openGuestSlots(),
): GuestLimiter {
  const guestRate = openRateLimit(guestLimits.rate, guestLimits.burst);
  // Bounded by the number of rules in the policy: rule ids never come from the guest.
  const rules = new Map<string, Gauge>();
  const names = new Map<string, number>();

  function gaugeOf(ruleId: string, limits: ResolvedLimits): Gauge {
    let gauge = rules.get(ruleId);
    if (gauge === undefined) {
      gauge = openGauge(limits);
      rules.set(ruleId, gauge);
    }
    return gauge;
  }

  function admitName(name: string): Result<void, LimitFault> {
    const nowMs = clock.monotonicMs();
    for (const [known, seenMs] of names) {
      if (nowMs - seenMs < namesWindowMs) break;
      names.delete(known);
    }
    if (names.has(name)) return ok(undefined);
    if (names.size >= bounds.namesPerMinuteMax) {
      return err({ reason: "rate_limited", limit: "guest.names", value: bounds.namesPerMinuteMax });
    }
    names.set(name, nowMs);
    return ok(undefined);
  }

  function openRun(spending: RunSpending, concurrentMax: number | undefined): RunLimiter {
    const spentByGuest = spending.guest;

    function spentBy(ruleId: string): Spent {
      let spent = spending.rules.get(ruleId);
      if (spent === undefined) {
        spent = nothingSpent();
        spending.rules.set(ruleId, spent);
      }
      return spent;
    }

    function admit(
      ruleId: string,
      limits: ResolvedLimits,
      held: Permit | undefined,
    ): Result<Permit, LimitFault> {
      held?.release();
      const rule = gaugeOf(ruleId, limits);
      const spent = spentBy(ruleId);
      const nowMs = clock.monotonicMs();
      const ruleWaitMs = rule.rate.waitMs(nowMs);
      if (ruleWaitMs > 0) return rateFault("rule", limits, ruleWaitMs);
      const guestWaitMs = guestRate.waitMs(nowMs);
      if (guestWaitMs > 0) return rateFault("guest", guestLimits, guestWaitMs);
      if (concurrentMax !== undefined && spending.inFlight >= concurrentMax) {
        return concurrencyFault("run", { concurrent: concurrentMax });
      }
      if (slots.inFlight >= guestLimits.concurrent) return concurrencyFault("guest", guestLimits);
      if (rule.inFlight >= limits.concurrent) return concurrencyFault("rule", limits);
      if (spent.requests >= limits.requests) return requestsFault("rule", limits);
      if (spentByGuest.requests >= guestLimits.requests) return requestsFault("guest", guestLimits);
      rule.rate.take(nowMs);
      guestRate.take(nowMs);
      spent.requests += 1;
      spentByGuest.requests += 1;
      return ok(openPermit(rule));
    }

    // INVARIANT (permit follows response): counted up here and down in release, nowhere else.
    function openPermit(rule: Gauge): Permit {
      rule.inFlight += 1;
      slots.inFlight += 1;
      spending.inFlight += 1;
      let released = false;
      return {
        release() {
          if (released) return;
          released = true;
          rule.inFlight -= 1;
          slots.inFlight -= 1;
          spending.inFlight -= 1;
          const woken = [...slots.waiting];
          slots.waiting.clear();
          for (const wake of woken) wake();
        },
      };
    }

    function spend(
      direction: "bytesOut" | "bytesIn",
      ruleId: string,
      limits: ResolvedLimits,
      bytes: number,
    ): Result<void, LimitFault> {
      const spent = spentBy(ruleId);
      spent[direction] += bytes;
      spentByGuest[direction] += bytes;
      if (spent[direction] > limits[direction]) return bytesFault("rule", direction, limits);
      if (spentByGuest[direction] > guestLimits[direction])
        return bytesFault("guest", direction, guestLimits);
      return ok(undefined);
    }

    return {
      admit,
      admitName,
      spendOut: (ruleId, limits, bytes) => spend("bytesOut", ruleId, limits, bytes),
      spendIn: (ruleId, limits, bytes) => spend("bytesIn", ruleId, limits, bytes),
      onRelease(callback) {
        slots.waiting.add(callback);
        return () => slots.waiting.delete(callback);
      },
    };
  }

  return { openRun, inFlight: () => slots.inFlight };
}

function openGauge(limits: ResolvedLimits): Gauge {
  return { inFlight: 0, rate: openRateLimit(limits.rate, limits.burst) };
}

function nothingSpent(): Spent {
  return { requests: 0, bytesOut: 0, bytesIn: 0 };
}

type Scope = "guest" | "rule";

function rateFault(scope: Scope, { rate }: ResolvedLimits, waitMs: number): Result<never, LimitFault> {
  const fault = { reason: "rate_limited", limit: `${scope}.rate`, value: rate.count } as const;
  return err(waitMs === Number.POSITIVE_INFINITY ? fault : { ...fault, retry: waitMs });
}

function concurrencyFault(
  scope: Scope | "run",
  { concurrent }: { readonly concurrent: number },
): Result<never, LimitFault> {
  const fault = { reason: "concurrency_exceeded", limit: `${scope}.concurrent`, value: concurrent } as const;
  return err(concurrent === 0 ? fault : { ...fault, retry: "release" });
}

function requestsFault(scope: Scope, limits: ResolvedLimits): Result<never, LimitFault> {
  return err({ reason: "request_budget_exhausted", limit: `${scope}.requests`, value: limits.requests });
}

function bytesFault(
  scope: Scope,
  direction: "bytesOut" | "bytesIn",
  limits: ResolvedLimits,
): Result<never, LimitFault> {
  return err({ reason: "byte_budget_exhausted", limit: `${scope}.${direction}`, value: limits[direction] });
}
