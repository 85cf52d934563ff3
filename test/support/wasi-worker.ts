// A guest's thread reduced to WASI: runs one export with the machine's own clock and tells how it ended.
import { parentPort, workerData } from "node:worker_threads";
import { guestMemory } from "../../src/guest/thread/memory.ts";
import { threadClock } from "../../src/guest/thread/wasi/thread-clock.ts";
import { GuestExit, wasiImports } from "../../src/guest/thread/wasi/wasi.ts";

/** What the thread is given. */
export interface WasiOrder {
  readonly module: WebAssembly.Module;
  readonly invoke: string;
  readonly values: readonly (number | bigint)[];
  readonly args: readonly string[];
  readonly env: readonly (readonly [string, string])[];
  readonly input: string;
}

/** What the thread tells at the end. */
export interface WasiEnd {
  readonly code: number;
  readonly results: unknown;
  readonly output: string;
  readonly errors: string;
  readonly elapsedMs: number;
  /** Processor time of this thread alone. */
  readonly cpuMs: number;
}

const order = workerData as WasiOrder;
let instance: WebAssembly.Instance | undefined;
let input: Uint8Array = new TextEncoder().encode(order.input);
const written = { 1: [] as Uint8Array[], 2: [] as Uint8Array[] };

const { imports } = wasiImports({
  memory: guestMemory(() => instance?.exports.memory as WebAssembly.Memory | undefined),
  args: order.args,
  env: order.env,
  write: (stream, bytes) => written[stream].push(bytes) && bytes.length,
  read(bytesMax) {
    const chunk = input.subarray(0, bytesMax);
    input = input.subarray(chunk.length);
    return chunk;
  },
  ...threadClock,
});

const startNs = threadClock.monotonicNs();
const startCpu = process.threadCpuUsage();
let code = 0;
let results: unknown;
try {
  instance = new WebAssembly.Instance(order.module, { wasi_snapshot_preview1: imports });
  results = (instance.exports[order.invoke] as WebAssembly.WasmFunction)(...order.values);
} catch (error) {
  if (!(error instanceof GuestExit)) throw error;
  code = error.code;
}
const cpu = process.threadCpuUsage(startCpu);
const end: WasiEnd = {
  code,
  results,
  output: Buffer.concat(written[1]).toString(),
  errors: Buffer.concat(written[2]).toString(),
  elapsedMs: Number(threadClock.monotonicNs() - startNs) / 1e6,
  cpuMs: (cpu.user + cpu.system) / 1_000,
};
parentPort?.postMessage(end);
