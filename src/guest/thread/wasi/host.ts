// What the WASI functions need from whoever runs the guest. No logic here.
import type { GuestMemory } from "../memory.ts";

/** The guest's surroundings. Everything blocks the guest's own thread and nothing throws. */
export interface WasiHost {
  readonly memory: GuestMemory;
  /** All arguments, the program's name first; see `checkArguments`. */
  readonly args: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  /**
   * Takes output: 1 is standard output, 2 standard error. Gets a copy of at most bounds.outputChunkBytesMax
   * bytes, never empty, to keep or transfer. Returns how many were taken; 0 tells the guest that nobody listens.
   */
  write(stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>): number;
  /**
   * Returns at most `bytesMax` bytes of standard input as soon as there are some, and an empty array at its end.
   * `waitMs` bounds the wait, and `undefined` says that nothing came within it; absent, there is no bound. A host
   * that ignores `waitMs` makes a guest that polls its input with a timeout wait for the input alone.
   */
  read(bytesMax: number, waitMs?: number): Uint8Array | undefined;
  /** Sleeps without using the processor; may wake early. At most bounds.wasiSleepMsMax; fractions count. */
  sleep(milliseconds: number): void;
  /** Nanoseconds that never go back, as exact as the machine knows them: coarsening is done here. */
  monotonicNs(): bigint;
  /** Nanoseconds since 1970 UTC. */
  realtimeNs(): bigint;
  /** Fills with unpredictable bytes; gets at most 65536, the limit of getRandomValues. */
  randomFill(bytes: Uint8Array<ArrayBuffer>): void;
}
