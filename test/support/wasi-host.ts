// A guest's surroundings without any waiting: time passes only when somebody sleeps, input comes at given times.
import { type GuestMemory, guestMemory } from "../../src/guest/thread/memory.ts";
import { type WasiHost, type WasiImport, wasiImports } from "../../src/guest/thread/wasi/wasi.ts";

/** Something that arrives on standard input; the end follows the last one at once. */
export interface Arrival {
  readonly atMs: number;
  readonly text: string;
}

interface Surroundings {
  readonly args?: readonly string[];
  readonly env?: readonly (readonly [string, string])[];
  readonly input?: readonly Arrival[];
  /** When input ends; without it, when the last arrival has come. */
  readonly inputEndsAtMs?: number;
  /** How many bytes of an offer are taken; all of them by default. */
  readonly take?: (offered: number) => number;
  /** How much too early a sleep of the host ends. */
  readonly wakesEarlyMs?: number;
  readonly memory?: WebAssembly.Memory | undefined;
}

/** One fake guest: its imports over a real memory, and what the host saw of it. */
export interface FakeGuest {
  readonly imports: Readonly<Record<string, WasiImport>>;
  /** Calls a function; numbers may be given unsigned. */
  call(name: string, ...values: (number | bigint)[]): number;
  readonly memory: GuestMemory;
  /** All of memory as it is now. */
  bytes(): Uint8Array;
  text(stream: 1 | 2): string;
  readonly writes: { readonly stream: number; readonly bytes: number }[];
  readonly sleepsMs: number[];
  readonly reads: (number | undefined)[];
  readonly randomFills: number[];
  nowNs: bigint;
  realtimeNs: bigint;
  /** Moves both clocks. */
  pass(milliseconds: number): void;
  /** Takes over the memory of an instance. */
  attach(memory: unknown): void;
}

/** A guest with one page of memory unless another memory, or explicitly none, is given. */
export function fakeGuest(surroundings: Surroundings = {}): FakeGuest {
  let wasmMemory =
    "memory" in surroundings ? surroundings.memory : new WebAssembly.Memory({ initial: 1, maximum: 4 });
  const memory = guestMemory(() => wasmMemory);
  const output: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] };
  const arrivals = (surroundings.input ?? []).map(({ atMs, text }) => ({
    atNs: BigInt(Math.round(atMs * 1e6)),
    bytes: new TextEncoder().encode(text),
  }));
  const endsAtNs = BigInt(surroundings.inputEndsAtMs ?? 0) * 1_000_000n;

  const guest: FakeGuest = {
    imports: {},
    call(name, ...values) {
      const signed = values.map((value) =>
        typeof value === "bigint" ? BigInt.asIntN(64, value) : value | 0,
      );
      const imported = guest.imports[name];
      if (imported === undefined) throw new Error(`no import ${name}`);
      return imported(...signed);
    },
    memory,
    bytes: () => new Uint8Array(wasmMemory?.buffer ?? new ArrayBuffer(0)),
    text: (stream) => Buffer.concat(output[stream]).toString(),
    writes: [],
    sleepsMs: [],
    reads: [],
    randomFills: [],
    nowNs: 0n,
    realtimeNs: 1_700_000_000_000_000_000n,
    pass(milliseconds) {
      const ns = BigInt(Math.round(milliseconds * 1e6));
      guest.nowNs += ns;
      guest.realtimeNs += ns;
    },
    attach(attached) {
      wasmMemory = attached as WebAssembly.Memory;
    },
  };

  const host: WasiHost = {
    memory,
    args: surroundings.args ?? [],
    env: surroundings.env ?? [],
    write(stream, bytes) {
      const taken = surroundings.take?.(bytes.length) ?? bytes.length;
      guest.writes.push({ stream, bytes: bytes.length });
      output[stream].push(bytes.slice(0, Math.max(taken, 0)));
      return taken;
    },
    read(bytesMax, waitMs) {
      guest.reads.push(waitMs);
      const next = arrivals[0];
      const nextAtNs = next?.atNs ?? endsAtNs;
      const leftMs = Number(nextAtNs - guest.nowNs) / 1e6;
      if (waitMs !== undefined && leftMs > waitMs) {
        guest.pass(waitMs);
        return undefined;
      }
      guest.pass(Math.max(leftMs, 0));
      if (next === undefined) return new Uint8Array(0);
      const chunk = next.bytes.subarray(0, bytesMax);
      next.bytes = next.bytes.subarray(chunk.length);
      if (next.bytes.length === 0) arrivals.shift();
      return chunk;
    },
    sleep(milliseconds) {
      guest.sleepsMs.push(milliseconds);
      const earlyMs = surroundings.wakesEarlyMs ?? 0;
      guest.pass(milliseconds > earlyMs ? milliseconds - earlyMs : milliseconds);
    },
    monotonicNs: () => guest.nowNs,
    realtimeNs: () => guest.realtimeNs - (guest.realtimeNs % 1_000_000n),
    randomFill(bytes) {
      guest.randomFills.push(bytes.length);
      crypto.getRandomValues(bytes);
    },
  };
  return Object.assign(guest, wasiImports(host));
}

/** Writes an iovec list at `at` and returns its count. */
export function writeVectors(
  guest: FakeGuest,
  at: number,
  vectors: readonly (readonly [pointer: number, length: number])[],
): number {
  for (const [index, [pointer, length]] of vectors.entries()) {
    guest.memory.writeU32(at + index * 8, pointer);
    guest.memory.writeU32(at + index * 8 + 4, length);
  }
  return vectors.length;
}
