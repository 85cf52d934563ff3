// Runs guests on a pool the way the sandbox does, with everything that an order needs filled in.
import { systemClock } from "../../src/core/clock.ts";
import type { GuestEnd, GuestOrder, GuestPool } from "../../src/guest/pool.ts";
import { type PreparedModule, prepareModule } from "../../src/guest/prepare-module.ts";
import { openScriptedGate } from "./scripted-gate.ts";
import { compileWatText } from "./wat.ts";

/** Compiles a module that must be taken. */
export async function prepared(
  wasm: Uint8Array | string,
  memoryBytesMax = 16 * 1_048_576,
): Promise<PreparedModule> {
  const bytes = typeof wasm === "string" ? await compileWatText(wasm) : wasm;
  const found = await prepareModule(bytes, { memoryBytesMax });
  if (!found.ok) throw new Error(`${found.error.message}; ${found.error.remedy}`);
  return found.value;
}

/** How a guest ended, and what it wrote. */
export interface GuestRun {
  readonly end: GuestEnd;
  readonly stdout: string;
  readonly stderr: string;
}

/** An order with defaults: no arguments, no input, output dropped, nothing allowed. */
export function orderOf(order: Partial<GuestOrder> & Pick<GuestOrder, "module">): GuestOrder {
  return {
    gate: openScriptedGate({ refuse: "host_not_allowed" }),
    invoke: "_start",
    args: [],
    name: "guest",
    env: [],
    stdin: undefined,
    stdout: () => {},
    stderr: () => {},
    signal: new AbortController().signal,
    timeoutMs: 20_000,
    ...order,
  };
}

/** Runs a guest and keeps its output. */
export async function runOn(
  pool: GuestPool,
  order: Partial<GuestOrder> & Pick<GuestOrder, "module">,
): Promise<GuestRun> {
  const written = { stdout: "", stderr: "" };
  const end = await pool.run(
    orderOf({
      stdout: (chunk) => {
        written.stdout += Buffer.from(chunk).toString();
      },
      stderr: (chunk) => {
        written.stderr += Buffer.from(chunk).toString();
      },
      ...order,
    }),
  );
  return { end, ...written };
}

/** Waits until `done`, and fails with `what` when it takes longer than it may. */
export async function eventually(what: string, done: () => boolean, withinMs = 5_000): Promise<void> {
  const endMs = systemClock.monotonicMs() + withinMs;
  while (!done()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
