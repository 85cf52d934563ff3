// The guest thread's side of the bridge: a call that blocks this thread until the host has answered.
// Never decides anything: it carries text and bytes across, and what is allowed is decided on the other side.
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { bounds } from "../../core/bounds.ts";
import type { AnswerMessage, Answers, GuestCall, GuestNote, ThreadData } from "./message.ts";
import { threadClock } from "./wasi/thread-clock.ts";

/** The way from one guest to the host. */
export interface Bridge {
  /** Asks and waits. `transfer` is given away with the call. */
  call<Call extends GuestCall>(call: Call, transfer?: ArrayBuffer): Answers[Call["kind"]];
  /** Tells, without waiting. Arrives before everything that is sent later. */
  tell(note: GuestNote): void;
}

/** The bridge of the guest with number `run`. */
export function openBridge({ port, cell }: ThreadData, run: number): Bridge {
  return {
    call(call, transfer) {
      const seen = Atomics.load(cell, 0);
      const given =
        transfer !== undefined && transfer.byteLength >= bounds.transferBytesMin ? [transfer] : [];
      port.postMessage({ run, ...call }, given);
      return receive(port, cell, seen);
    },
    tell: (note) => port.postMessage({ run, ...note }),
  };
}

function receive<Kind extends keyof Answers>(
  port: MessagePort,
  cell: Int32Array<SharedArrayBuffer>,
  before: number,
): Answers[Kind] {
  for (let seen = before; ; seen = Atomics.load(cell, 0)) {
    // The host posts its answer first and counts up afterwards: an answer cannot be slept through.
    spin(cell, seen);
    Atomics.wait(cell, 0, seen);
    const received = receiveMessageOnPort(port) as { readonly message: AnswerMessage<Kind> } | undefined;
    if (received !== undefined) return received.message.answer;
  }
}

// Waking a thread that sleeps takes tens of microseconds where processors are idle, more than most answers: a request
// with two reads took 225 us without this and 85 us with it, and less processor time as well. What takes longer comes
// from the network or from a person, and then the thread sleeps.
const spinNs = 30_000n;
const spinLoads = 64;

function spin(cell: Int32Array<SharedArrayBuffer>, seen: number): void {
  const endNs = threadClock.monotonicNs() + spinNs;
  do {
    for (let load = 0; load < spinLoads; load += 1) {
      if (Atomics.load(cell, 0) !== seen) return;
    }
  } while (threadClock.monotonicNs() < endNs);
}
