// The guest's process as it sees it: its end, its randomness. Must never end or signal the host's process.
import { errno } from "./errno.ts";
import type { WasiHost } from "./host.ts";
import type { WasiFunctions } from "./signatures.ts";

/** Thrown by proc_exit through the guest's frames. It is no failure, not even when the code is not 0. */
export class GuestExit extends Error {
  override readonly name = "GuestExit";
  /** As the guest gave it, 0 to 4294967295; a shell would show the lowest 8 bits. */
  readonly code: number;

  constructor(code: number) {
    super(`the guest ended with code ${code}`);
    this.code = code;
  }
}

// The limit of getRandomValues.
const randomChunkBytesMax = 65_536;

type ProcessFunctions = WasiFunctions<"proc_exit" | "proc_raise" | "random_get" | "sched_yield">;

/** proc_*, random_get and sched_yield. */
export function processFunctions({ memory, randomFill }: WasiHost): ProcessFunctions {
  return {
    proc_exit(code) {
      throw new GuestExit(code);
    },

    // Whatever the signal: there is nobody to receive it but the host.
    proc_raise: () => errno.notsup,

    random_get(pointer, length) {
      if (!memory.check(pointer, length).ok) return errno.fault;
      for (let filled = 0; filled < length; filled += randomChunkBytesMax) {
        const chunk = new Uint8Array(Math.min(length - filled, randomChunkBytesMax));
        randomFill(chunk);
        memory.writeBytes(pointer + filled, chunk);
      }
      return errno.success;
    },

    // One guest has its thread for itself.
    sched_yield: () => errno.success,
  };
}
