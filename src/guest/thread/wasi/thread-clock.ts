// Time and randomness of the machine for a guest's thread, which may block. The only file of that thread that
// asks the machine for the time. Never to be used on the host's thread: sleeping there stops every other guest.
import type { WasiHost } from "./host.ts";

const nsPerMs = 1_000_000n;
const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** The part of a WasiHost that needs nobody else. */
export const threadClock: Pick<WasiHost, "sleep" | "monotonicNs" | "realtimeNs" | "randomFill"> = {
  // Nobody ever notifies this cell, so that only time (or the end of the thread) wakes it.
  sleep: (milliseconds) => void Atomics.wait(sleepCell, 0, 0, milliseconds),
  monotonicNs: () => process.hrtime.bigint(),
  realtimeNs: () => BigInt(Date.now()) * nsPerMs,
  randomFill: (bytes) => void crypto.getRandomValues(bytes),
};
