// The composition root: the one place that builds a sandbox from its parts.
// It must never hold a rule of its own: what is allowed is decided in the gate.

import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { TracerProvider } from "@opentelemetry/api";
import type { AuditLog } from "./audit/audit-log.ts";
import { absentAuditLog, openAuditLog } from "./audit/audit-log.ts";
import type { Clock } from "./core/clock.ts";
import { systemClock } from "./core/clock.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import { denialOf } from "./egress/denial.ts";
import { openGenerations } from "./egress/generations.ts";
import { ownAddresses } from "./egress/own-addresses.ts";
import type { Resolver } from "./egress/resolve.ts";
import { staticResolver, systemResolver } from "./egress/resolve.ts";
import type { FetchOptions } from "./fetch-options.ts";
import { openGuestPool } from "./guest/pool.ts";
import { checkSandboxOptions } from "./options.ts";
import type { Policy } from "./policy/policy.ts";
import { runGuest } from "./run.ts";
import type { RunOptions, RunResult } from "./run-options.ts";
import { fetchThroughGate } from "./sandbox-fetch.ts";
import type { Session, SessionParts } from "./session.ts";
import { instrumentationScope } from "./trace/attributes.ts";
import { openTracer } from "./trace/tracer.ts";

/** What a sandbox is opened with; every member may be absent. */
export interface SandboxOptions {
  /** Where the audit log goes; absent: none is written. */
  readonly audit?: { readonly dir: string };
  /** Takes the spans; absent: the global provider. Never registered, flushed or shut down by the sandbox. */
  readonly tracerProvider?: TracerProvider;
  /** Certificate authorities in PEM form, beside the public ones. */
  readonly ca?: string | readonly string[];
  /** Answers for names, by table or by function; they are vetted like any other. Absent: the system's resolver. */
  readonly resolve?: Resolver | Readonly<Record<string, readonly string[]>>;
  /** Idle guest threads kept ready; default 1. */
  readonly warmGuests?: number;
}

/** Runs guests and fetches in their names, through one gate. */
export interface Sandbox extends AsyncDisposable {
  /**
   * Runs a WebAssembly module until it ends, traps, or meets its deadline.
   * @throws SallyportError `module_invalid`, `option_invalid`, `closed`.
   */
  readonly run: (wasm: Uint8Array, options: RunOptions) => Promise<RunResult>;
  /**
   * One request of host-side code in a guest's name.
   * @throws EgressError when it is refused or fails; SallyportError `option_invalid`, `closed`.
   */
  readonly fetch: (url: string | URL, options: FetchOptions) => Promise<Response>;
  /** Ends every guest and request, and closes the records. May be called again. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a sandbox.
 * @throws SallyportError `option_invalid`, or `audit_unavailable` when the log cannot be opened.
 */
export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { ca, warmGuests } = checkSandboxOptions(options);
  const clock = systemClock;
  const audit = await openAudit(options, clock);
  const generations = openGenerations({ clock, ca });
  const guests = openGuestPool({ clock, warm: warmGuests });
  const parts: SessionParts = {
    clock,
    audit,
    generations,
    tracer: openTracer(options.tracerProvider),
    resolver: resolverOf(options.resolve),
    isSelf: ownAddresses(clock),
    policySha256: openPolicyDigests(audit),
  };
  const sessions = new Set<Session>();
  const finished = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  function register(session: Session): () => void {
    sessions.add(session);
    if (closing !== undefined) session.abort(denialOf("shutting_down"));
    return () => sessions.delete(session);
  }

  function track<Value>(work: Promise<Value>): Promise<Value> {
    const settled: Promise<unknown> = work.then(
      () => finished.delete(settled),
      () => finished.delete(settled),
    );
    finished.add(settled);
    return work;
  }

  function requireOpen(): void {
    if (closing !== undefined) throw new SallyportError("closed", "the sandbox is closed");
  }

  async function shutDown(): Promise<void> {
    for (const session of sessions) session.abort(denialOf("shutting_down"));
    await guests.close();
    generations.close();
    await Promise.allSettled(finished);
    // A response that somebody still reads has its session open: its end belongs into the log.
    await Promise.allSettled([...sessions].map((session) => session.end("aborted")));
    await audit.close();
  }

  const close = (): Promise<void> => (closing ??= shutDown());

  return {
    run: async (wasm, runOptions) => {
      requireOpen();
      return track(runGuest({ parts, guests, register }, wasm, runOptions));
    },
    fetch: async (url, fetchOptions) => {
      requireOpen();
      return track(fetchThroughGate(parts, url, fetchOptions, register));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openAudit(options: SandboxOptions, clock: Clock): Promise<AuditLog> {
  if (options.audit === undefined) return absentAuditLog();
  const program = { version: instrumentationScope.version, host: hostname() };
  const opened = await openAuditLog({ dir: options.audit.dir, clock, program });
  if (opened.ok) return opened.value;
  throw new SallyportError("audit_unavailable", `${options.audit.dir}: ${opened.error.detail}`);
}

function resolverOf(given: SandboxOptions["resolve"]): Resolver {
  if (given === undefined) return systemResolver;
  return typeof given === "function" ? given : staticResolver(given, systemResolver);
}

// A policy of ten thousand rules takes a while to hash: once for each policy, not for each run.
// The first time that a policy is seen is when it comes into force: that is a record of its own.
function openPolicyDigests(audit: AuditLog): (policy: Policy) => string {
  const digests = new WeakMap<Policy, string>();
  return (policy) => {
    const known = digests.get(policy);
    if (known !== undefined) return known;
    const digest = createHash("sha256").update(policy.canonical).digest("hex");
    digests.set(policy, digest);
    const { name, rules, mode } = policy;
    void audit.append({ type: "policy.load", policy_sha256: digest, name, rules: rules.length, mode });
    return digest;
  };
}
