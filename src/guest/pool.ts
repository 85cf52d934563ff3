// The threads that guests run on: some warm, none shared at the same time, all bounded in number.
// INVARIANT (one guest, one thread): a thread that a guest did not leave well is never used again.
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Reason } from "../core/reason.ts";
import { type GuestThread, openGuestThread } from "./guest-thread.ts";
import { type Invocation, planInvocation } from "./invocation.ts";
import { openPlaces } from "./places.ts";
import { type GuestEnd, type GuestOrder, type RunningGuest, startGuest } from "./runner.ts";
import { checkArguments } from "./thread/wasi/wasi.ts";

export type { OutputSink } from "./guest-streams.ts";
export type { GuestEnd, GuestOrder } from "./runner.ts";

/** Runs guests, each on a thread of its own. */
export interface GuestPool {
  /** Runs a guest to its end; waits for a place first, in order. Never rejects for anything that a guest does. */
  run(order: GuestOrder): Promise<GuestEnd>;
  /** Guests that run now. */
  readonly running: number;
  /** Threads that wait for a guest. */
  readonly idle: number;
  /** All threads that there are, also those that are being ended. */
  readonly threads: number;
  /** Ends every guest and thread. May be called again. */
  close(): Promise<void>;
}

/** How many threads to keep. */
export interface GuestPoolOptions {
  /** Idle threads kept ready. */
  readonly warm: number;
  readonly clock: Clock;
  /** Guests that run at once, default bounds.guestsRunningMax; further ones wait in order. */
  readonly runningMax?: number;
}

/** Why a guest is ended from outside. */
interface Stop {
  readonly end: GuestEnd;
  readonly reason: Reason;
}

const deadline: Stop = { end: { kind: "deadline" }, reason: "run_deadline_exceeded" };
const aborted: Stop = { end: { kind: "aborted" }, reason: "guest_terminated" };
const closing: Stop = { end: { kind: "aborted" }, reason: "shutting_down" };

// A guest that is done sooner gives its thread back, and starting another one would have been for nothing.
const refillDelayMs = 10;

/** Opens a pool and starts its idle threads. They do not keep the process alive. */
export function openGuestPool(options: GuestPoolOptions): GuestPool {
  const { warm, clock, runningMax = bounds.guestsRunningMax } = options;
  const places = openPlaces({ countMax: runningMax, weightMax: bounds.runningCodeBytesMax });
  const idle: GuestThread[] = [];
  const threads = new Set<GuestThread>();
  const stops = new Set<(stop: Stop) => void>();
  let running = 0;
  let closed = false;
  let cancelRefill: (() => void) | undefined;

  function openThread(): GuestThread {
    const thread = openGuestThread();
    threads.add(thread);
    // An idle thread that dies is forgotten; a guest on it hears of it first.
    void thread.exited.then(() => {
      threads.delete(thread);
      const at = idle.indexOf(thread);
      if (at !== -1) idle.splice(at, 1);
    });
    return thread;
  }

  function refill(): void {
    cancelRefill = undefined;
    while (!closed && idle.length < warm) {
      const thread = openThread();
      thread.hold(false);
      idle.push(thread);
    }
  }

  function takeThread(): GuestThread {
    const thread = idle.pop() ?? openThread();
    thread.hold(true);
    if (idle.length < warm) cancelRefill ??= clock.schedule(refillDelayMs, refill, { idle: true });
    return thread;
  }

  /** Keeps the thread, or ends it; resolves when its place is free. */
  async function giveBack(thread: GuestThread, { clean }: RunningGuest): Promise<void> {
    const kept =
      !closed &&
      clean !== undefined &&
      clean.memoryBytes <= bounds.threadMemoryBytesKept &&
      thread.runs < bounds.threadRunsMax &&
      idle.length < warm * 2;
    if (!kept) return thread.terminate();
    thread.onFailure(() => {});
    thread.hold(false);
    idle.push(thread);
  }

  async function runPlanned(order: GuestOrder, plan: Invocation, stopped: Promise<Stop>): Promise<GuestEnd> {
    const place = places.enter(order.module.module, order.module.codeBytes);
    const early = await Promise.race([place.granted, stopped]);
    if (early !== undefined) {
      place.leave();
      return early.end;
    }
    running += 1;
    try {
      const thread = takeThread();
      const guest = startGuest(thread, order, plan, clock);
      void stopped.then(({ end, reason }) => guest.stop(end, reason));
      const end = await guest.ended;
      // The caller does not wait for the thread: compiling one function cannot be interrupted, and takes a while.
      void giveBack(thread, guest).finally(place.leave);
      return end;
    } catch (fault) {
      place.leave();
      throw fault;
    } finally {
      running -= 1;
    }
  }

  async function run(order: GuestOrder): Promise<GuestEnd> {
    const plan = planInvocation(order.module, order.invoke, order.args);
    if (!plan.ok) return { kind: "rejected", problem: plan.error };
    const fault = checkArguments([order.name, ...order.args], order.env);
    if (fault !== undefined) {
      return { kind: "rejected", problem: { message: fault, remedy: "change what the guest is given" } };
    }
    if (closed || order.signal.aborted) return aborted.end;
    // `0` is no time at all.
    if (order.timeoutMs <= 0) return deadline.end;
    const { promise: stopped, resolve: stop } = Promise.withResolvers<Stop>();
    const onAbort = (): void => stop(aborted);
    const cancelDeadline = clock.schedule(order.timeoutMs, () => stop(deadline));
    order.signal.addEventListener("abort", onAbort);
    stops.add(stop);
    try {
      return await runPlanned(order, plan.value, stopped);
    } finally {
      stops.delete(stop);
      order.signal.removeEventListener("abort", onAbort);
      cancelDeadline();
    }
  }

  refill();

  return {
    run,
    get running() {
      return running;
    },
    get idle() {
      return idle.length;
    },
    get threads() {
      return threads.size;
    },
    async close() {
      closed = true;
      cancelRefill?.();
      for (const stop of stops) stop(closing);
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}
