// Whole guests under our WASI: small ones of text inline, and compiled C in a thread with real time.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { GuestExit } from "../../src/guest/thread/wasi/wasi.ts";
import { type FakeGuest, fakeGuest } from "../support/wasi-host.ts";
import type { WasiEnd, WasiOrder } from "../support/wasi-worker.ts";
import { compileWat } from "../support/wat.ts";

async function moduleOf(program: string): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await compileWat(`wasi/${program}.wat`));
}

// Runs without a thread and without real time.
async function runInline(
  program: string,
  guest: FakeGuest,
  invoke = "_start",
  ...values: (number | bigint)[]
): Promise<unknown> {
  const imports = { wasi_snapshot_preview1: guest.imports };
  const { exports } = new WebAssembly.Instance(await moduleOf(program), imports);
  guest.attach(exports.memory);
  return (exports[invoke] as WebAssembly.WasmFunction)(...values);
}

async function runInThread(module: WebAssembly.Module, order: Partial<WasiOrder>): Promise<WasiEnd> {
  const workerData = { module, invoke: "_start", values: [], args: ["guest"], env: [], input: "", ...order };
  const worker = new Worker(`${import.meta.dirname}/../support/wasi-worker.ts`, { workerData });
  const [end] = await once(worker, "message");
  await once(worker, "exit");
  return end as WasiEnd;
}

async function compiledC(program: string): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await readFile(`${import.meta.dirname}/programs/c/${program}.wasm`));
}

describe("guests in text, inline", () => {
  test("scattered output arrives whole, each stream by itself", async () => {
    const guest = fakeGuest();
    await runInline("hello", guest);
    expect([guest.text(1), guest.text(2)]).toEqual(["hello, world\n", "world\n"]);
  });

  test("proc_exit ends a guest through all of its frames", async () => {
    await expect(runInline("exit", fakeGuest())).rejects.toThrow(new GuestExit(7));
  });

  test.each([
    ["all at once", undefined],
    ["seven bytes at a time", 7],
  ])("input comes out again, taken by the host %s", async (_how, takes) => {
    const text = "zwölf Boxkämpfer\n".repeat(500);
    const input = [0, 10, 20].map((atMs) => ({ atMs, text }));
    const guest = fakeGuest({ input, take: (offered) => Math.min(offered, takes ?? offered) });
    await runInline("echo", guest);
    expect(guest.text(1)).toBe(text.repeat(3));
  });

  test("memory that grew during the run is seen", async () => {
    const guest = fakeGuest();
    await runInline("grow", guest);
    expect(guest.text(1)).toBe("G");
  });

  test("a guest that exports no memory gets fault from whatever needs one", async () => {
    expect(await runInline("no-memory", fakeGuest(), "write")).toBe(21);
    expect(await runInline("no-memory", fakeGuest(), "random")).toBe(21);
  });

  test.each(["wide", "more"])("an import of another type than WASI's ends the guest (%s)", async (name) => {
    await expect(runInline("wrong-type", fakeGuest(), name)).rejects.toThrow(/imported with another type/);
  });

  test("a sleep is as long as the guest says", async () => {
    const guest = fakeGuest();
    expect(await runInline("sleep", guest, "sleep", 150_000_000n)).toEqual([0, 1]);
    expect(guest.nowNs).toBe(150_000_000n);
  });

  test("a sleep of -1 ns is unsigned and so 584 years, not an instant", async () => {
    const guest = fakeGuest();
    let sleeps = 0;
    guest.sleepsMs.push = () => {
      sleeps += 1;
      if (sleeps === 3) throw new Error("slept enough");
      return sleeps;
    };
    await expect(runInline("sleep", guest, "sleep", -1n)).rejects.toThrow("slept enough");
  });
});

describe("in a thread", () => {
  test("a sleeping guest uses no processor time", async () => {
    const end = await runInThread(await moduleOf("sleep"), { invoke: "sleep", values: [400_000_000n] });
    expect(end.results).toEqual([0, 1]);
    expect(end.elapsedMs).toBeGreaterThanOrEqual(400);
    expect(end.elapsedMs).toBeLessThan(2_000);
    expect(end.cpuMs).toBeLessThan(100);
  });

  test("a sleeping guest can be ended at once", async () => {
    const workerData = { module: await moduleOf("sleep"), invoke: "sleep", values: [60_000_000_000n] };
    const worker = new Worker(`${import.meta.dirname}/../support/wasi-worker.ts`, {
      workerData: { ...workerData, args: [], env: [], input: "" },
    });
    await once(worker, "online");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = performance.now();
    await worker.terminate();
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test("a C command has its arguments, environment, input, clock and exit code, and no files", async () => {
    const end = await runInThread(await compiledC("command"), {
      args: ["command.wasm", "two words", "größe", "7"],
      env: [["FOO", "bar=1"]],
      input: "one\ntwo\n",
    });
    expect(end.output.split("\n")).toEqual([
      "arg 0: command.wasm",
      "arg 1: two words",
      "arg 2: größe",
      "arg 3: 7",
      "FOO: bar=1",
      "HOME: (none)",
      "input: one",
      "input: two",
      "end of input: 1",
      "slept 30 ms: 1",
      "this century: 1",
      "file: refused",
      "terminals: 0 1 1",
      "",
    ]);
    expect(end.errors).toBe("done\n");
    expect(end.code).toBe(7);
  });

  test("a C command that tries what it must not get is refused each time, and the host is as before", async () => {
    const end = await runInThread(await compiledC("misuse"), {});
    expect(end.code).toBe(0);
    expect([end.output, end.errors]).toEqual(["before\n", "end\n"]);
  });
});
