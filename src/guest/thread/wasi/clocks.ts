// The guest's clocks. Never as exact as the machine's own: a guest shares its process with the host's secrets, and
// a fine clock is what turns a cache's hits and misses into bits. A coarse one makes that slower, not impossible.
import { bounds } from "../../../core/bounds.ts";
import { errno } from "./errno.ts";
import type { WasiHost } from "./host.ts";
import { clockId } from "./layout.ts";
import type { WasiFunctions } from "./signatures.ts";

/** A clock that guests may read. */
export interface GuestClock {
  /** The smallest step that shows. */
  readonly grainNs: bigint;
  /** The time as the machine knows it; only for measuring how long to sleep. */
  exactNs(): bigint;
}

/** The clock with this id, or undefined when guests have none such: CPU time would be the whole process's. */
export function clockOf(host: WasiHost, id: number): GuestClock | undefined {
  if (id === clockId.monotonic) {
    return { grainNs: BigInt(bounds.wasiMonotonicGrainNs), exactNs: () => host.monotonicNs() };
  }
  if (id === clockId.realtime) {
    return { grainNs: BigInt(bounds.wasiRealtimeGrainNs), exactNs: () => host.realtimeNs() };
  }
  return undefined;
}

/** The time that shows: rounded down to the grain. */
export function coarseNs(clock: GuestClock): bigint {
  const ns = clock.exactNs();
  return ns - (ns % clock.grainNs);
}

/** clock_*. */
export function clockFunctions(host: WasiHost): WasiFunctions<"clock_res_get" | "clock_time_get"> {
  const { memory } = host;
  let latestNs = 0n;

  // Programs expect two readings of the monotonic clock to differ. Counting readings by nanoseconds within one grain
  // gives them that and tells nothing about time; no guest reads fast enough to count as far as the next grain.
  function increasing(ns: bigint): bigint {
    latestNs = ns > latestNs ? ns : latestNs + 1n;
    return latestNs;
  }

  return {
    clock_res_get(id, resultPointer) {
      const clock = clockOf(host, id);
      if (clock === undefined) return errno.inval;
      return memory.writeU64(resultPointer, clock.grainNs).ok ? errno.success : errno.fault;
    },
    clock_time_get(id, _precision, resultPointer) {
      const clock = clockOf(host, id);
      if (clock === undefined) return errno.inval;
      const ns = id === clockId.monotonic ? increasing(coarseNs(clock)) : coarseNs(clock);
      return memory.writeU64(resultPointer, ns).ok ? errno.success : errno.fault;
    },
  };
}
