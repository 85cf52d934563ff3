// One run of a guest, or one host-side fetch, as the gate sees it: its records, its policy generation, its end.
// It must never outlive its records: ending it ends every request that is still open.
import type { Context } from "@opentelemetry/api";
import type { AuditLog } from "./audit/audit-log.ts";
import type { Clock } from "./core/clock.ts";
import { openGate } from "./egress/gate.ts";
import type { Generation } from "./egress/generation.ts";
import type { GenerationLease, Generations } from "./egress/generations.ts";
import { openRunSpending } from "./egress/limiter.ts";
import type { Denial, Gate } from "./egress/message.ts";
import type { RequestSummary, RunRecord, RunStatus, RunTotals } from "./egress/record.ts";
import { openRunRecord } from "./egress/record.ts";
import type { Resolver } from "./egress/resolve.ts";
import type { LivePolicy } from "./load-policy.ts";
import type { Policy, RedirectChoice } from "./policy/policy.ts";
import type { Tracer } from "./trace/tracer.ts";
import type { IpAddress } from "./url/ip-address.ts";

/** What every session of a sandbox shares. */
export interface SessionParts {
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly tracer: Tracer;
  readonly generations: Generations;
  readonly resolver: Resolver;
  readonly isSelf: (ip: IpAddress) => boolean;
  readonly policySha256: (policy: Policy) => string;
}

/** What one session is about. */
export interface SessionOptions {
  readonly guest: string;
  readonly moduleSha256?: string;
  readonly policy: Policy | LivePolicy;
  readonly redirects: RedirectChoice;
  /** The most responses that this session may hold open; absent: as the policy says. */
  readonly concurrent?: number;
  /** Milliseconds that a request may wait for a rate or a permit. */
  readonly limitWaitMs: number;
  /** Host-side fetches draw on one budget per guest; a run has its own. */
  readonly kind: "run" | "fetch";
  readonly onRequest?: (summary: RequestSummary) => unknown;
  readonly parentContext?: Context;
}

/** An open session. */
export interface Session {
  readonly runId: string;
  readonly gate: Gate;
  totals(): RunTotals;
  /** Aborts when the session is aborted. */
  readonly signal: AbortSignal;
  /** Ends requests that are still under way, for `denial`, while the records stay open. */
  abort(denial: Denial): void;
  /** Ends the session and its records, once; further calls wait for the same end. */
  end(status: RunStatus): Promise<void>;
}

/** Opens a session and writes its first record. */
export async function openSession(parts: SessionParts, options: SessionOptions): Promise<Session> {
  const controller = new AbortController();
  const policyNow = (): Policy => ("current" in options.policy ? options.policy.current : options.policy);
  let seen = policyNow();
  let lease = leaseOf(seen);
  const spending = options.kind === "fetch" ? lease.fetchSpending : openRunSpending();
  let generation = generationOf(lease);
  let ending: Promise<void> | undefined;

  const run: RunRecord = await openRunRecord(parts, {
    guest: options.guest,
    ...(options.moduleSha256 === undefined ? {} : { moduleSha256: options.moduleSha256 }),
    generation,
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
    ...(options.parentContext === undefined ? {} : { parentContext: options.parentContext }),
  });

  function leaseOf(policy: Policy): GenerationLease {
    return parts.generations.lease(options.guest, policy, parts.policySha256(policy));
  }

  function generationOf({ policy, policySha256, limiter, pool }: GenerationLease): Generation {
    return { policy, policySha256, limiter: limiter.openRun(spending, options.concurrent), pool };
  }

  // INVARIANT (one generation): a request sees one policy from its start to its last redirect.
  function currentGeneration(): Generation {
    const policy = policyNow();
    if (policy === seen) return generation;
    seen = policy;
    // The same rules read again are no new generation.
    if (parts.policySha256(policy) === lease.policySha256) return generation;
    const next = leaseOf(policy);
    lease.release({ retire: true });
    lease = next;
    generation = generationOf(lease);
    return generation;
  }

  const gate = openGate({
    clock: parts.clock,
    resolver: parts.resolver,
    isSelf: parts.isSelf,
    run,
    generation: currentGeneration,
    redirects: options.redirects,
    limitWaitMs: options.limitWaitMs,
    signal: controller.signal,
  });

  return {
    runId: run.id,
    gate,
    totals: () => run.totals(),
    signal: controller.signal,
    abort: (denial) => controller.abort(denial),
    end(status) {
      ending ??= run.end(status).finally(() => lease.release());
      return ending;
    },
  };
}
