// proc_*, random_get, sched_yield, and the shape of the whole import object.
import { describe, expect, test } from "vitest";
import { signatures } from "../../src/guest/thread/wasi/signatures.ts";
import { GuestExit } from "../../src/guest/thread/wasi/wasi.ts";
import { fakeGuest } from "../support/wasi-host.ts";

const success = 0;
const fault = 21;
const notsup = 58;
const pageBytes = 65_536;

test("there are the 46 functions of preview 1", () => {
  expect(Object.keys(fakeGuest().imports)).toHaveLength(46);
});

describe("no function throws, and none says success, when all its arguments are all ones", () => {
  const harmless = ["proc_exit", "sched_yield"];
  const names = (Object.keys(signatures) as (keyof typeof signatures)[]).filter(
    (name) => !harmless.includes(name),
  );
  test.each(names)("%s", (name) => {
    const hostile = [...signatures[name]].map((kind) => (kind === "i" ? -1 : -1n));
    for (const guest of [fakeGuest(), fakeGuest({ memory: undefined })]) {
      expect(guest.call(name, ...hostile)).toBeGreaterThan(0);
      expect(guest.writes).toEqual([]);
      expect(guest.reads).toEqual([]);
      expect(guest.sleepsMs).toEqual([]);
    }
  });
});

describe("an import declared with another type than WASI's ends the guest with a sentence", () => {
  const rows: readonly (readonly [name: string, values: readonly (number | bigint)[]])[] = [
    ["fd_write", [1n, 0, 0, 0]],
    ["fd_write", [1, 0, 0]],
    ["fd_write", [1, 0, 0, 0, 0]],
    ["clock_time_get", [1, 1, 0]],
    ["sched_yield", [1]],
  ];
  test.each(rows)("%s", (name, values) => {
    expect(() => fakeGuest().call(name, ...values)).toThrow(
      `wasi_snapshot_preview1.${name} was imported with another type than WASI gives it`,
    );
  });
});

describe("proc_exit", () => {
  test.each([
    [0, 0],
    [7, 7],
    [-1, 4_294_967_295],
  ])("with %d throws a GuestExit with code %d", (given, code) => {
    const guest = fakeGuest();
    let thrown: unknown;
    try {
      guest.call("proc_exit", given);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GuestExit);
    expect((thrown as GuestExit).code).toBe(code);
  });
});

test.each([0, 6, 9, 15, 255])("proc_raise(%d) is not supported, and this process lives on", (signal) => {
  let received = 0;
  const count = () => {
    received += 1;
  };
  process.on("SIGTERM", count);
  expect(fakeGuest().call("proc_raise", signal)).toBe(notsup);
  process.off("SIGTERM", count);
  expect(received).toBe(0);
});

test("sched_yield succeeds", () => {
  expect(fakeGuest().call("sched_yield")).toBe(success);
});

describe("random_get", () => {
  test("fills exactly the range", () => {
    const guest = fakeGuest();
    expect(guest.call("random_get", 100, 64)).toBe(success);
    expect(
      guest
        .bytes()
        .slice(100, 164)
        .some((byte) => byte !== 0),
    ).toBe(true);
    expect(
      guest
        .bytes()
        .slice(0, 100)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(
      guest
        .bytes()
        .slice(164)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  test("asks the host for at most 65536 bytes at a time", () => {
    const memory = new WebAssembly.Memory({ initial: 3 });
    const guest = fakeGuest({ memory });
    expect(guest.call("random_get", 5, 150_000)).toBe(success);
    expect(guest.randomFills).toEqual([65_536, 65_536, 150_000 - 2 * 65_536]);
    const bytes = guest.bytes();
    expect(bytes.slice(149_900, 150_005).some((byte) => byte !== 0)).toBe(true);
    expect(bytes.slice(150_005).every((byte) => byte === 0)).toBe(true);
  });

  test("of nothing succeeds", () => {
    const guest = fakeGuest();
    expect(guest.call("random_get", 0, 0)).toBe(success);
    expect(guest.randomFills).toEqual([]);
  });

  test.each([
    [pageBytes - 1, 2],
    [0, -1],
    [-1, 1],
    [-1, -1],
    [pageBytes + 1, 0],
  ])("of the range %d, %d is a fault and costs no randomness", (pointer, length) => {
    const guest = fakeGuest();
    expect(guest.call("random_get", pointer, length)).toBe(fault);
    expect(guest.randomFills).toEqual([]);
  });
});
