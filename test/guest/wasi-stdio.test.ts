// The three streams: what a guest writes is what the host gets, and the descriptors are the guest's own.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { type FakeGuest, fakeGuest, writeVectors } from "../support/wasi-host.ts";

const success = 0;
const again = 6;
const badf = 8;
const fault = 21;
const inval = 28;
const pipe = 64;
const pageBytes = 65_536;
const list = 1_024;
const result = 512;

type Pieces = readonly (readonly [pointer: number, length: number])[];

function write(guest: FakeGuest, fd: number, pieces: Pieces): number {
  return guest.call("fd_write", fd, list, writeVectors(guest, list, pieces), result);
}

function read(guest: FakeGuest, fd: number, pieces: Pieces): number {
  return guest.call("fd_read", fd, list, writeVectors(guest, list, pieces), result);
}

function resultOf(guest: FakeGuest): number {
  const value = guest.memory.readU32(result);
  if (!value.ok) throw new Error(value.error);
  return value.value;
}

function put(guest: FakeGuest, pointer: number, text: string): readonly [number, number] {
  const bytes = Buffer.from(text);
  guest.memory.writeBytes(pointer, bytes);
  return [pointer, bytes.length];
}

describe("fd_write", () => {
  test("joins the pieces in their order, to the stream of the descriptor", () => {
    const guest = fakeGuest();
    const hello = put(guest, 9_000, "héllo ");
    const world = put(guest, 8_000, "world");
    expect(write(guest, 1, [hello, [0, 0], world, hello])).toBe(success);
    expect(resultOf(guest)).toBe(19);
    expect(write(guest, 2, [world])).toBe(success);
    expect(guest.text(1)).toBe("héllo worldhéllo ");
    expect(guest.text(2)).toBe("world");
    expect(guest.writes).toHaveLength(2);
  });

  test("of nothing succeeds and bothers nobody", () => {
    const guest = fakeGuest();
    expect(write(guest, 1, [])).toBe(success);
    expect(write(guest, 1, [[0, 0]])).toBe(success);
    expect(resultOf(guest)).toBe(0);
    expect(guest.writes).toEqual([]);
  });

  test("writes all of a large piece, in chunks of bounds.outputChunkBytesMax", () => {
    const guest = fakeGuest({ memory: new WebAssembly.Memory({ initial: 4 }) });
    const bytes = 150_000;
    for (let at = 0; at < bytes; at += 1_000) put(guest, 2_048 + at, String(at));
    expect(write(guest, 1, [[2_048, bytes]])).toBe(success);
    expect(resultOf(guest)).toBe(bytes);
    expect(guest.writes.map((each) => each.bytes)).toEqual([65_536, 65_536, bytes - 2 * 65_536]);
    expect(guest.text(1)).toBe(Buffer.from(guest.bytes().slice(2_048, 2_048 + bytes)).toString());
  });

  test("fills chunks across small pieces", () => {
    const guest = fakeGuest();
    const pieces = Array.from({ length: 1_000 }, () => [20_000, 100] as const);
    expect(write(guest, 1, pieces)).toBe(success);
    expect(resultOf(guest)).toBe(100_000);
    expect(guest.writes.map((each) => each.bytes)).toEqual([65_536, 100_000 - 65_536]);
  });

  test("reports what the host took when that was less, and stops there", () => {
    const guest = fakeGuest({ take: () => 1_000 });
    expect(
      write(guest, 1, [
        [0, 60_000],
        [0, 60_000],
      ]),
    ).toBe(success);
    expect(resultOf(guest)).toBe(1_000);
    expect(guest.writes).toHaveLength(1);
  });

  test.each([0, -1, Number.NaN])("is a broken pipe when the host takes %d of something", (taken) => {
    const guest = fakeGuest({ take: () => taken });
    expect(write(guest, 1, [[0, 1]])).toBe(pipe);
    expect(guest.writes).toHaveLength(1);
  });

  test.each([0, 3, 4, -1, 1_000])("to descriptor %d, which is not for output, is badf", (fd) => {
    expect(write(fakeGuest(), fd, [[0, 1]])).toBe(badf);
  });
});

describe("hostile lists of pieces", () => {
  const rows: readonly (readonly [
    what: string,
    list: number,
    count: number,
    result: number,
    error: number,
  ])[] = [
    ["a count of all ones", list, 0xffff_ffff, result, inval],
    ["a count that overflows 32 bits when multiplied", list, 0x2000_0000, result, inval],
    ["one piece more than bounds.wasiVectorsMax", list, bounds.wasiVectorsMax + 1, result, inval],
    ["a list beyond memory", pageBytes, 1, result, fault],
    ["a list that ends beyond memory", pageBytes - 8, 2, result, fault],
    ["a list at the end of the address space", -8, 1, result, fault],
    ["an empty list beyond memory", -1, 0, result, fault],
    ["a result beyond memory", list, 1, pageBytes - 3, fault],
    ["a result at the end of the address space", list, 1, -4, fault],
  ];
  for (const name of ["fd_read", "fd_write"]) {
    test.each(rows)(`${name}: %s`, (_what, at, count, resultPointer, error) => {
      const guest = fakeGuest({ input: [{ atMs: 0, text: "kept" }] });
      writeVectors(guest, list, [[0, 4]]);
      expect(guest.call(name, name === "fd_read" ? 0 : 1, at, count, resultPointer)).toBe(error);
      expect([guest.reads, guest.writes]).toEqual([[], []]);
    });
  }

  const pieces: readonly (readonly [what: string, piece: readonly [number, number]])[] = [
    ["one byte beyond memory", [pageBytes, 1]],
    ["longer than memory", [0, pageBytes + 1]],
    ["at the end of the address space", [0xffff_ffff, 1]],
    ["wrapping around it", [0xffff_fff0, 0x20]],
    ["of all of it", [1, 0xffff_ffff]],
    ["empty, but beyond memory", [pageBytes + 1, 0]],
  ];
  test.each(pieces)("a piece %s is a fault, and nothing of the good one before moves", (_what, piece) => {
    const guest = fakeGuest({ input: [{ atMs: 0, text: "kept" }] });
    expect(write(guest, 1, [[0, 4], piece])).toBe(fault);
    expect(read(guest, 0, [[0, 4], piece])).toBe(fault);
    expect([guest.reads, guest.writes]).toEqual([[], []]);
  });

  test("bounds.wasiVectorsMax pieces are fine", () => {
    const guest = fakeGuest();
    expect(write(guest, 1, new Array(bounds.wasiVectorsMax).fill([0, 1]))).toBe(success);
    expect(resultOf(guest)).toBe(bounds.wasiVectorsMax);
  });

  test("pieces that name the same bytes again and again, 4 GiB in sum, are inval", () => {
    const guest = fakeGuest({ memory: new WebAssembly.Memory({ initial: 65 }) });
    const pieces: Pieces = new Array(1_024).fill([0, 2 ** 22]);
    expect(write(guest, 1, pieces)).toBe(inval);
    expect(guest.writes).toEqual([]);
  });
});

describe("fd_read", () => {
  const input = [
    { atMs: 0, text: "first line\n" },
    { atMs: 50, text: "second" },
  ];

  test("returns as soon as some bytes are there, waits for more, and ends with 0 for good", () => {
    const guest = fakeGuest({ input });
    expect(read(guest, 0, [[5_000, 100]])).toBe(success);
    expect(resultOf(guest)).toBe(11);
    expect(guest.nowNs).toBe(0n);
    expect(read(guest, 0, [[5_011, 100]])).toBe(success);
    expect(resultOf(guest)).toBe(6);
    expect(guest.nowNs).toBe(50_000_000n);
    for (let round = 0; round < 3; round += 1) {
      expect(read(guest, 0, [[6_000, 100]])).toBe(success);
      expect(resultOf(guest)).toBe(0);
    }
    expect(guest.reads).toHaveLength(3);
    expect(Buffer.from(guest.bytes().slice(5_000, 5_017)).toString()).toBe("first line\nsecond");
  });

  test("spreads the bytes over the pieces and touches nothing behind them", () => {
    const guest = fakeGuest({ input });
    guest.bytes().fill(0x2e, 5_000, 5_040);
    expect(
      read(guest, 0, [
        [5_020, 3],
        [5_000, 0],
        [5_000, 5],
        [5_030, 5],
      ]),
    ).toBe(success);
    expect(resultOf(guest)).toBe(11);
    expect(Buffer.from(guest.bytes().slice(5_000, 5_040)).toString()).toBe(
      "st li...............fir.......ne\n.......",
    );
  });

  test("keeps what did not fit for the next call", () => {
    const guest = fakeGuest({ input });
    let all = "";
    for (let round = 0; round < 17; round += 1) {
      expect(read(guest, 0, [[5_000, 1]])).toBe(success);
      all += String.fromCharCode(guest.bytes()[5_000] ?? 0);
    }
    expect(all).toBe("first line\nsecond");
    expect(guest.reads).toHaveLength(2);
  });

  test("into no room returns 0 without waiting", () => {
    const guest = fakeGuest({ input: [{ atMs: 1_000, text: "late" }] });
    expect(read(guest, 0, [])).toBe(success);
    expect(read(guest, 0, [[0, 0]])).toBe(success);
    expect(guest.reads).toEqual([]);
  });

  test("does not wait when the guest asked for that, and tells an end from nothing yet", () => {
    const guest = fakeGuest({ input: [{ atMs: 10, text: "late" }] });
    expect(guest.call("fd_fdstat_set_flags", 0, 4)).toBe(success);
    expect(read(guest, 0, [[5_000, 10]])).toBe(again);
    guest.pass(10);
    expect(read(guest, 0, [[5_000, 10]])).toBe(success);
    expect(resultOf(guest)).toBe(4);
    expect(read(guest, 0, [[5_000, 10]])).toBe(success);
    expect(resultOf(guest)).toBe(0);
  });

  test.each([1, 2, 3, -1])("from descriptor %d, which is not for input, is badf", (fd) => {
    expect(read(fakeGuest({ input }), fd, [[0, 1]])).toBe(badf);
  });
});
