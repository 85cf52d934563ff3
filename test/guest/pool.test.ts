// Threads for guests: warm, bounded, one guest each, and gone as soon as they are not wanted.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { Gate } from "../../src/egress/message.ts";
import { type GuestPool, type GuestPoolOptions, openGuestPool } from "../../src/guest/pool.ts";
import type { PreparedModule } from "../../src/guest/prepare-module.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { eventually, orderOf, prepared, runOn } from "../support/guest-run.ts";
import { compileHostile, hostilePrograms } from "../support/hostile-programs.ts";
import { openScriptedGate } from "../support/scripted-gate.ts";
import { compileWat } from "../support/wat.ts";

const pools: GuestPool[] = [];
let idleGuest: PreparedModule;
let busyGuest: PreparedModule;
let waitingGuest: PreparedModule;
let holdingGuest: PreparedModule;

beforeAll(async () => {
  idleGuest = await prepared(`(module (func (export "_start")))`);
  busyGuest = await prepared(await compileHostile("busy-loop.wat"));
  waitingGuest = await prepared(await compileHostile("hang.wat"));
  holdingGuest = await prepared(await compileHostile("hold-open.wat"));
});

afterEach(async () => {
  for (const pool of pools.splice(0)) {
    await pool.close();
    expect([pool.threads, pool.running, pool.idle]).toEqual([0, 0, 0]);
  }
});

function open(options: Partial<GuestPoolOptions> = {}): GuestPool {
  const pool = openGuestPool({ warm: 1, clock: systemClock, ...options });
  pools.push(pool);
  return pool;
}

const exited = { kind: "exited", code: 0, results: [] };

function openPorts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
}

/** Input that never comes; tells when it was given up. */
function silentInput() {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true;
    },
  });
  return { stream, cancelled: () => cancelled };
}

describe("threads", () => {
  test("a guest that ended well leaves its thread to the next", async () => {
    const pool = open({ warm: 1 });
    for (let run = 0; run < 20; run += 1) {
      expect((await runOn(pool, { module: idleGuest })).end).toEqual(exited);
      expect(pool.threads).toBeLessThanOrEqual(2);
    }
    expect(pool.idle).toBeGreaterThan(0);
  });

  test("a trapped guest takes its thread with it", async () => {
    const pool = open({ warm: 1 });
    const module = await prepared(`(module (func (export "_start") unreachable))`);
    expect((await runOn(pool, { module })).end).toEqual({ kind: "trapped", message: "unreachable" });
    await eventually("another thread is ready", () => pool.threads === 1 && pool.idle === 1);
  });

  test("a guest with much memory takes its thread with it, one with little does not", async () => {
    // With time standing still, no other thread takes its place.
    const pool = open({ warm: 1, clock: fakeClock() });
    expect((await runOn(pool, { module: idleGuest })).end).toEqual(exited);
    expect([pool.threads, pool.idle]).toEqual([1, 1]);
    const module = await prepared(
      `(module (memory (export "memory") 512) (func (export "_start")))`,
      2 ** 26,
    );
    expect((await runOn(pool, { module })).end).toEqual(exited);
    expect(pool.idle).toBe(0);
    await eventually("it is gone", () => pool.threads === 0);
  });

  test("without warm threads, one is made for each guest and ended after it", async () => {
    const pool = open({ warm: 0 });
    expect(pool.threads).toBe(0);
    expect((await runOn(pool, { module: idleGuest })).end).toEqual(exited);
    await eventually("it is gone", () => pool.threads === 0);
  });

  test("after a burst, no more threads are kept than twice the warm ones", async () => {
    const pool = open({ warm: 2 });
    await Promise.all(Array.from({ length: 12 }, () => runOn(pool, { module: idleGuest })));
    await eventually("the rest is gone", () => pool.threads === pool.idle && pool.idle <= 4);
  });

  test("an instance starts anew on a thread that has been used", async () => {
    const pool = open();
    const module = await prepared(`(module (global $g (mut i32) (i32.const 0)) (memory (export "memory") 1)
      (func (export "count") (result i32)
        (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (global.get $g)))
        (i32.load (i32.const 0))))`);
    for (let run = 0; run < 3; run += 1) {
      expect((await runOn(pool, { module, invoke: "count" })).end).toMatchObject({ results: ["1"] });
    }
  });

  test("hundreds of runs leave nothing: no response, no thread, no port", async () => {
    const portsBefore = openPorts();
    const pool = open({ warm: 2 });
    const gate = openScriptedGate({ concurrent: 100 });
    const module = await prepared(await compileHostile("handles.wat"));
    for (let round = 0; round < 100; round += 1) {
      const runs = Array.from({ length: 4 }, () => pool.run(orderOf({ module, gate })));
      expect(await Promise.all(runs)).toEqual([exited, exited, exited, exited]);
    }
    expect([gate.open, gate.passed.length]).toEqual([0, 800]);
    await eventually("no thread is left over", () => pool.threads === pool.idle && pool.idle <= 4);
    await pool.close();
    await eventually("no port is left over", () => openPorts() <= portsBefore);
  });
});

describe("ends", () => {
  test("a deadline ends a busy loop within milliseconds", async () => {
    const pool = open();
    await runOn(pool, { module: idleGuest });
    const startMs = systemClock.monotonicMs();
    expect((await runOn(pool, { module: busyGuest, timeoutMs: 100 })).end).toEqual({ kind: "deadline" });
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(400);
    await eventually("its thread is gone", () => pool.threads === pool.idle, 1_000);
  });

  test("an abort ends a busy loop within milliseconds", async () => {
    const pool = open();
    const controller = new AbortController();
    const ended = runOn(pool, { module: busyGuest, signal: controller.signal });
    await eventually("it runs", () => pool.running === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startMs = systemClock.monotonicMs();
    controller.abort(new Error("enough"));
    expect((await ended).end).toEqual({ kind: "aborted" });
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(100);
    await eventually("its thread is gone", () => pool.threads === pool.idle, 1_000);
  });

  test("a signal that has aborted already starts nothing", async () => {
    const pool = open({ warm: 0 });
    expect((await runOn(pool, { module: busyGuest, signal: AbortSignal.abort() })).end).toEqual({
      kind: "aborted",
    });
    expect(pool.threads).toBe(0);
  });

  test("a deadline of zero ends even a guest that does nothing wrong", async () => {
    expect((await runOn(open(), { module: busyGuest, timeoutMs: 0 })).end).toEqual({ kind: "deadline" });
  });

  test("a request under way is ended with the reason of the guest's end", async () => {
    const pool = open();
    const gate = openScriptedGate();
    expect((await runOn(pool, { module: waitingGuest, gate, timeoutMs: 200 })).end).toEqual({
      kind: "deadline",
    });
    expect(gate.aborted).toMatchObject([{ reason: "run_deadline_exceeded" }]);
    const controller = new AbortController();
    const ended = runOn(pool, { module: waitingGuest, gate, signal: controller.signal });
    await eventually("it has asked", () => gate.passed.length === 2);
    controller.abort();
    expect((await ended).end).toEqual({ kind: "aborted" });
    expect(gate.aborted[1]).toMatchObject({ reason: "guest_terminated", stage: "guest", kind: "cancel" });
  });

  test("closing the pool ends every guest, running or waiting for its turn, and takes no more", async () => {
    const pool = open({ runningMax: 2 });
    const gate = openScriptedGate();
    const runs = Array.from({ length: 4 }, () => runOn(pool, { module: waitingGuest, gate }));
    await eventually("two have asked", () => gate.passed.length === 2);
    await pool.close();
    expect(pool.threads).toBe(0);
    for (const run of runs) expect((await run).end).toEqual({ kind: "aborted" });
    expect(gate.aborted).toMatchObject([{ reason: "shutting_down" }, { reason: "shutting_down" }]);
    expect(gate.passed.length).toBe(2);
    expect((await runOn(pool, { module: idleGuest })).end).toEqual({ kind: "aborted" });
    await pool.close();
  });
});

describe("turns", () => {
  test("no more guests run at once than may", async () => {
    const pool = open({ runningMax: 3, warm: 1 });
    let most = 0;
    const gate = openScriptedGate();
    const watching: Gate = {
      request(...asked) {
        most = Math.max(most, pool.running);
        return gate.request(...asked);
      },
    };
    const runs = Array.from({ length: 9 }, () => runOn(pool, { module: holdingGuest, gate: watching }));
    for (const run of runs) expect((await run).end).toEqual(exited);
    expect([most, gate.openMost <= 3]).toEqual([3, true]);
  });

  test("who comes first runs first", async () => {
    const pool = open({ runningMax: 1 });
    const order: number[] = [];
    const runs = Array.from({ length: 5 }, async (_, index) => {
      await runOn(pool, { module: idleGuest });
      order.push(index);
    });
    await Promise.all(runs);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test("who waits keeps its deadline and its signal", async () => {
    const pool = open({ runningMax: 1 });
    const blocker = new AbortController();
    const blocked = runOn(pool, { module: busyGuest, signal: blocker.signal });
    const controller = new AbortController();
    const aborted = runOn(pool, { module: idleGuest, signal: controller.signal });
    const late = runOn(pool, { module: idleGuest, timeoutMs: 50 });
    const patient = runOn(pool, { module: idleGuest });
    controller.abort();
    expect((await aborted).end).toEqual({ kind: "aborted" });
    expect((await late).end).toEqual({ kind: "deadline" });
    expect(pool.running).toBe(1);
    blocker.abort();
    expect((await blocked).end).toEqual({ kind: "aborted" });
    expect((await patient).end).toEqual(exited);
  });
});

describe("what a guest is given", () => {
  test("a guest that cannot be started as asked is not started", async () => {
    const pool = open({ warm: 0 });
    const missing = await runOn(pool, { module: idleGuest, invoke: "get" });
    expect(missing.end).toMatchObject({ kind: "rejected", problem: { message: /no function "get"/ } });
    const argument = await runOn(pool, { module: idleGuest, args: ["a\0b"] });
    expect(argument.end).toMatchObject({ kind: "rejected", problem: { message: /NUL/ } });
    expect(pool.threads).toBe(0);
  });

  test("arguments, environment and input arrive; output comes back, each stream by itself", async () => {
    const module = await prepared(await compileWat("wasi/echo.wat"));
    const input = new Blob(["line one\n", "line two\n"]).stream();
    const { end, stdout } = await runOn(open(), { module, stdin: input });
    expect(end).toMatchObject({ kind: "exited" });
    expect(stdout).toContain("line one\nline two\n");
  });

  test("results of an export come back as text", async () => {
    const module = await prepared(`(module (func (export "swap") (param i64 f32) (result f32 i64)
      (local.get 1) (local.get 0)))`);
    const { end } = await runOn(open(), { module, invoke: "swap", args: ["-5", "0.1"] });
    expect(end).toEqual({ kind: "exited", code: 0, results: ["0.1", "-5"] });
  });

  test("a reactor is initialised before the export that is asked for", async () => {
    const module = await prepared(`(module (global $g (mut i32) (i32.const 1))
      (func (export "_initialize") (global.set $g (i32.const 2)))
      (func (export "_start") (global.set $g (i32.const 3)))
      (func (export "get") (result i32) (global.get $g)))`);
    const { end } = await runOn(open(), { module, invoke: "get" });
    expect(end).toMatchObject({ results: ["2"] });
  });

  test("an exception that the guest does not catch is a trap", async () => {
    const bytes = Uint8Array.from(
      Buffer.from(
        "0061736d010000000104016000000302010" + "00d0301000007" + "0a01065f737461727400000a0601040008000b",
        "hex",
      ),
    );
    const { end } = await runOn(open(), { module: await prepared(bytes) });
    expect(end).toEqual({ kind: "trapped", message: "the guest threw an exception and did not catch it" });
  });
});

describe("streams", () => {
  test("input is pulled when the guest asks, and given back when it ends", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(Uint8Array.of(1));
        },
      },
      { highWaterMark: 0 },
    );
    expect((await runOn(open(), { module: idleGuest, stdin: endless })).end).toEqual(exited);
    expect(pulled).toBe(0);
    expect(endless.locked).toBe(false);
    const gate = openScriptedGate();
    expect((await runOn(open(), { module: holdingGuest, gate, stdin: endless })).end).toEqual(exited);
    expect(pulled).toBe(1);
  });

  test("a guest that waits for input that does not come is ended at its deadline", async () => {
    const { stream, cancelled } = silentInput();
    const gate = openScriptedGate();
    const { end } = await runOn(open(), { module: holdingGuest, gate, stdin: stream, timeoutMs: 200 });
    expect(end).toEqual({ kind: "deadline" });
    expect([gate.passed.length, gate.open, cancelled()]).toEqual([1, 0, true]);
  });

  test("input that fails is at its end", async () => {
    const failing = new ReadableStream<Uint8Array>({
      pull() {
        throw new Error("the pipe broke");
      },
    });
    const gate = openScriptedGate();
    expect((await runOn(open(), { module: holdingGuest, gate, stdin: failing })).end).toEqual(exited);
  });

  test("output waits for whoever takes it", async () => {
    const module = await prepared(await compileHostile("output-flood.wat"));
    let taken = 0;
    const slow = async (chunk: Uint8Array): Promise<void> => {
      taken += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const { end } = await runOn(open(), { module, stdout: slow, stderr: slow, timeoutMs: 300 });
    expect(end).toEqual({ kind: "deadline" });
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThanOrEqual(16 * 65_536);
    const atEnd = taken;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(taken).toBe(atEnd);
  });

  test("a sink that fails is told to the guest, and ends nobody", async () => {
    const module = await prepared(`(module
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
      (func (export "write") (result i32)
        (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))`);
    const stdout = (): never => {
      throw new Error("disk full");
    };
    const { end } = await runOn(open(), { module, invoke: "write", stdout });
    // EPIPE.
    expect(end).toMatchObject({ results: ["64"] });
  });
});

describe("beside hostile guests", () => {
  test("handles of one guest are nothing to another", async () => {
    const pool = open({ warm: 2 });
    const gate = openScriptedGate();
    const { stream } = silentInput();
    const controller = new AbortController();
    const holding = runOn(pool, { module: holdingGuest, gate, stdin: stream, signal: controller.signal });
    await eventually("a response is open", () => gate.open === 1);
    const module = await prepared(await compileHostile("foreign-handle.wat"));
    expect((await runOn(pool, { module, gate })).end).toEqual(exited);
    expect(gate.open).toBe(1);
    controller.abort();
    await holding;
    expect(gate.open).toBe(0);
  });

  test("an honest guest is served while all of them run", async () => {
    const pool = open({ warm: 2 });
    const controller = new AbortController();
    const hostile = hostilePrograms.filter(({ expectation }) => expectation.kind !== "rejected");
    const runs = hostile.map(async ({ file }) =>
      runOn(pool, {
        module: await prepared(await compileHostile(file)),
        gate: openScriptedGate(),
        stdin: silentInput().stream,
        signal: controller.signal,
      }),
    );
    await eventually("they run", () => pool.running > 5);
    const module = await prepared(await compileHostile("large-body.wat"));
    const startMs = systemClock.monotonicMs();
    for (let run = 0; run < 5; run += 1) {
      expect((await runOn(pool, { module, gate: openScriptedGate() })).end).toEqual(exited);
    }
    // Some of them keep a processor busy each; with two processors, the honest one has to share.
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(10_000);
    controller.abort();
    await Promise.all(runs);
    await eventually("nothing of them is left", () => pool.threads === pool.idle);
  });

  // Node ends a thread whose heap is full, but only when what fills it comes in small pieces. The heap is filled by
  // exceptions to different heights, and then a table asks for the largest piece that there can be.
  test("a table grown in a heap that is all but full ends the thread at most", {
    timeout: 60_000,
  }, async () => {
    const values = new Array(256).fill("(i64.const -1)").join("");
    const { default: wabt } = await import("wabt");
    const { parseWat } = await wabt();
    const text = `(module (tag $e (param ${"i64 ".repeat(256)})) (table $t 0 funcref)
      (func $throw (throw $e ${values}))
      (func $fill (param i32)
        (if (local.get 0)
          (then
            (try (do (call $throw))
              (catch_all
                (call $fill (i32.sub (local.get 0) (i32.const 1)))
                ;; Never done; but what could be thrown again is kept.
                (if (i32.eqz (local.get 0)) (then (rethrow 1))))))
          (else (drop (table.grow $t (ref.null func) (i32.const 262144))))))
      (func (export "fill") (param i32) (call $fill (local.get 0))))`;
    const wat = parseWat("fill.wat", text, { exceptions: true, reference_types: true });
    const module = await prepared(new Uint8Array(wat.toBinary({}).buffer));
    const pool = open({ warm: 2 });
    const ends = new Map<string, number>();
    for (let height = 5_600; height <= 8_000; height += 200) {
      const { end } = await runOn(pool, { module, invoke: "fill", args: [String(height)] });
      ends.set(end.kind, (ends.get(end.kind) ?? 0) + 1);
    }
    // Some did not fill it, some did: the range is the right one.
    expect([...ends.keys()].toSorted()).toEqual(["exited", "trapped"]);
    expect((await runOn(pool, { module: idleGuest })).end).toEqual(exited);
  });
});

describe("the process", () => {
  const run = promisify(execFile);

  async function script(text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-pool-"));
    try {
      const source = join(import.meta.dirname, "../../src");
      const file = join(folder, "script.ts");
      await writeFile(
        file,
        `import { openGuestPool } from "${source}/guest/pool.ts";
         import { prepareModule } from "${source}/guest/prepare-module.ts";
         import { systemClock as clock } from "${source}/core/clock.ts";
         ${text}`,
      );
      const { stdout } = await run(process.execPath, [file], { timeout: 20_000 });
      return stdout;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("idle threads do not keep it alive", async () => {
    expect(await script(`openGuestPool({ warm: 2, clock }); console.log("open");`)).toBe("open\n");
  });

  test("a running guest keeps it alive to its end, and its thread not beyond", async () => {
    const bytes = [...(await compileHostile("busy-loop.wat"))];
    const text = `
      const found = await prepareModule(Uint8Array.from(${JSON.stringify(bytes)}), { memoryBytesMax: 2 ** 20 });
      if (!found.ok) throw new Error(found.error.message);
      const pool = openGuestPool({ warm: 1, clock });
      const end = await pool.run({
        module: found.value, gate: { request: async () => { throw new Error(); } }, invoke: "_start", args: [],
        name: "busy", env: [], stdin: undefined, stdout: () => {}, stderr: () => {},
        signal: new AbortController().signal, timeoutMs: 400,
      });
      console.log(end.kind);`;
    expect(await script(text)).toBe("deadline\n");
  });
});
