// clock_*: two clocks, coarse on purpose, that never go back.
import { describe, expect, test } from "vitest";
import { type FakeGuest, fakeGuest } from "../support/wasi-host.ts";

const success = 0;
const fault = 21;
const inval = 28;

function read(guest: FakeGuest, clock: number): bigint {
  expect(guest.call("clock_time_get", clock, 1n, 8)).toBe(success);
  const value = guest.memory.readU64(8);
  if (!value.ok) throw new Error(value.error);
  return value.value;
}

test("the monotonic clock shows nothing finer than 100 microseconds", () => {
  const guest = fakeGuest();
  guest.nowNs = 5_000_099_999n;
  expect(read(guest, 1)).toBe(5_000_000_000n);
  guest.nowNs = 5_000_100_000n;
  expect(read(guest, 1)).toBe(5_000_100_000n);
});

test("two readings of the monotonic clock differ, by a count that time has no part in", () => {
  const guest = fakeGuest();
  guest.nowNs = 1_000_000n;
  expect([read(guest, 1), read(guest, 1), read(guest, 1)]).toEqual([1_000_000n, 1_000_001n, 1_000_002n]);
  guest.nowNs += 90_000n;
  expect(read(guest, 1)).toBe(1_000_003n);
  guest.nowNs += 10_000n;
  expect(read(guest, 1)).toBe(1_100_000n);
});

test("the wall clock shows milliseconds", () => {
  const guest = fakeGuest();
  guest.realtimeNs = 1_700_000_000_123_999_999n;
  expect(read(guest, 0)).toBe(1_700_000_000_123_000_000n);
});

test("the resolutions are told", () => {
  const guest = fakeGuest();
  expect(guest.call("clock_res_get", 0, 8)).toBe(success);
  expect(guest.memory.readU64(8)).toEqual({ ok: true, value: 1_000_000n });
  expect(guest.call("clock_res_get", 1, 8)).toBe(success);
  expect(guest.memory.readU64(8)).toEqual({ ok: true, value: 100_000n });
});

describe("clocks that guests do not have", () => {
  test.each([2, 3, 4, 0xffff_ffff])("%d is inval", (clock) => {
    const guest = fakeGuest();
    expect(guest.call("clock_time_get", clock, 0n, 8)).toBe(inval);
    expect(guest.call("clock_res_get", clock, 8)).toBe(inval);
  });
});

test.each([65_529, -1, -8])("a result at %d is outside memory", (pointer) => {
  const guest = fakeGuest();
  expect(guest.call("clock_time_get", 1, 0n, pointer)).toBe(fault);
  expect(guest.call("clock_time_get", 0, 0n, pointer)).toBe(fault);
  expect(guest.call("clock_res_get", 1, pointer)).toBe(fault);
});
