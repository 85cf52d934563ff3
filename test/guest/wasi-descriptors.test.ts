// The guest's own table of descriptors, and what it says about them.
import { describe, expect, test } from "vitest";
import { type FakeGuest, fakeGuest, writeVectors } from "../support/wasi-host.ts";

const success = 0;
const badf = 8;
const fault = 21;
const inval = 28;
const pageBytes = 65_536;
const list = 1_024;
const result = 512;

function write(guest: FakeGuest, fd: number, pieces: readonly (readonly [number, number])[]): number {
  return guest.call("fd_write", fd, list, writeVectors(guest, list, pieces), result);
}

function read(guest: FakeGuest, fd: number, pieces: readonly (readonly [number, number])[]): number {
  return guest.call("fd_read", fd, list, writeVectors(guest, list, pieces), result);
}

describe("descriptors", () => {
  test("closed ones are gone for this guest, and for nobody else", () => {
    const guest = fakeGuest({ input: [{ atMs: 0, text: "x" }] });
    for (const fd of [0, 1, 2]) {
      expect(guest.call("fd_close", fd)).toBe(success);
      expect(guest.call("fd_close", fd)).toBe(badf);
      expect(guest.call("fd_fdstat_get", fd, 0)).toBe(badf);
      expect(guest.call("fd_seek", fd, 0n, 0, 0)).toBe(badf);
      expect(guest.call("sock_shutdown", fd, 0)).toBe(badf);
    }
    expect(write(guest, 1, [[0, 1]])).toBe(badf);
    expect(read(guest, 0, [[0, 1]])).toBe(badf);
    expect(write(fakeGuest(), 1, [[0, 1]])).toBe(success);
    expect(process.stdout.writable).toBe(true);
  });

  test("renumbering moves a stream onto another descriptor, which is closed by that", () => {
    const guest = fakeGuest();
    expect(guest.call("fd_renumber", 2, 1)).toBe(success);
    guest.memory.writeBytes(5_000, Buffer.from("to error"));
    expect(write(guest, 1, [[5_000, 8]])).toBe(success);
    expect(guest.text(2)).toBe("to error");
    expect(write(guest, 2, [[0, 1]])).toBe(badf);
  });

  test.each([
    [0, 3],
    [3, 0],
    [-1, 0],
    [5, 5],
  ])("renumbering %d to %d is badf: both must be open", (from, to) => {
    const guest = fakeGuest();
    expect(guest.call("fd_renumber", from, to)).toBe(badf);
    expect(guest.call("fd_fdstat_get", 0, 0)).toBe(success);
  });

  test("renumbering to itself changes nothing", () => {
    const guest = fakeGuest();
    expect(guest.call("fd_renumber", 1, 1)).toBe(success);
    expect(write(guest, 1, [[0, 1]])).toBe(success);
  });
});

describe("fd_fdstat", () => {
  const rights = { fdRead: 1n << 1n, fdSeek: 1n << 2n, fdTell: 1n << 5n, fdWrite: 1n << 6n };

  test("output is a character device without a position, which libc writes line by line", () => {
    const guest = fakeGuest();
    guest.bytes().fill(0xff, 0, 32);
    expect(guest.call("fd_fdstat_get", 1, 0)).toBe(success);
    const view = new DataView(guest.bytes().slice(0, 32).buffer);
    expect(view.getUint8(0)).toBe(2);
    expect(view.getUint16(2, true)).toBe(0);
    const base = view.getBigUint64(8, true);
    expect(base & (rights.fdSeek | rights.fdTell | rights.fdRead)).toBe(0n);
    expect(base & rights.fdWrite).toBe(rights.fdWrite);
    expect(view.getBigUint64(16, true)).toBe(0n);
    expect(view.getUint8(24)).toBe(0xff);
  });

  test("input may be read, and is no terminal", () => {
    const guest = fakeGuest();
    expect(guest.call("fd_fdstat_get", 0, 0)).toBe(success);
    const view = new DataView(guest.bytes().slice(0, 24).buffer);
    expect(view.getUint8(0)).toBe(0);
    expect(view.getBigUint64(8, true) & (rights.fdRead | rights.fdWrite)).toBe(rights.fdRead);
  });

  test("flags are kept per descriptor and shown again", () => {
    const guest = fakeGuest();
    expect(guest.call("fd_fdstat_set_flags", 1, 5)).toBe(success);
    guest.call("fd_fdstat_get", 1, 0);
    expect(guest.memory.readU16(2)).toEqual({ ok: true, value: 5 });
    guest.call("fd_fdstat_get", 2, 0);
    expect(guest.memory.readU16(2)).toEqual({ ok: true, value: 0 });
  });

  test("unknown flags are inval, unknown descriptors badf", () => {
    const guest = fakeGuest();
    expect(guest.call("fd_fdstat_set_flags", 1, 32)).toBe(inval);
    expect(guest.call("fd_fdstat_set_flags", 1, -1)).toBe(inval);
    expect(guest.call("fd_fdstat_set_flags", 3, 0)).toBe(badf);
    expect(guest.call("fd_fdstat_get", 3, 0)).toBe(badf);
  });

  test.each([pageBytes - 23, -1, -24])("a result at %d is a fault", (pointer) => {
    const guest = fakeGuest();
    expect(guest.call("fd_fdstat_get", 1, pointer)).toBe(fault);
    expect(guest.call("fd_filestat_get", 1, pointer)).toBe(fault);
  });
});

test("fd_filestat_get says the type and nothing about the host", () => {
  const guest = fakeGuest();
  guest.bytes().fill(0xff, 0, 80);
  expect(guest.call("fd_filestat_get", 1, 0)).toBe(success);
  const expected = new Uint8Array(64);
  expected[16] = 2;
  expect(guest.bytes().slice(0, 64)).toEqual(expected);
  expect(guest.bytes()[64]).toBe(0xff);
  expect(guest.call("fd_filestat_get", 3, 0)).toBe(badf);
});
