// args_* and environ_*: what the embedder gave is what the guest reads, byte for byte, and nothing beyond.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { checkArguments } from "../../src/guest/thread/wasi/wasi.ts";
import { type FakeGuest, fakeGuest } from "../support/wasi-host.ts";

const success = 0;
const fault = 21;
const pageBytes = 65_536;

// Reads a list as a guest's libc does: sizes first, then pointers and strings.
function readList(guest: FakeGuest, name: "args" | "environ"): string[] {
  expect(guest.call(`${name}_sizes_get`, 0, 4)).toBe(success);
  const count = numberAt(guest, 0);
  const bytes = numberAt(guest, 4);
  const strings = 16 + count * 4;
  expect(guest.call(`${name}_get`, 16, strings)).toBe(success);
  expect(guest.bytes()[strings + bytes]).toBe(0);
  return Array.from({ length: count }, (_, index) => {
    const pointer = numberAt(guest, 16 + index * 4);
    const end = guest.bytes().indexOf(0, pointer);
    expect(end).toBeLessThan(strings + bytes);
    return Buffer.from(guest.bytes().slice(pointer, end)).toString();
  });
}

function numberAt(guest: FakeGuest, pointer: number): number {
  const value = guest.memory.readU32(pointer);
  if (!value.ok) throw new Error(value.error);
  return value.value;
}

test("arguments arrive in order, empty ones and those beyond ASCII too", () => {
  const args = ["guest.wasm", "", "a b", "größe", "😀", "--x=1"];
  expect(readList(fakeGuest({ args }), "args")).toEqual(args);
});

test("variables arrive as name=value, and a value may contain the sign", () => {
  const guest = fakeGuest({
    env: [
      ["FOO", "bar=1"],
      ["EMPTY", ""],
      ["ÜBER", "€"],
    ],
  });
  expect(readList(guest, "environ")).toEqual(["FOO=bar=1", "EMPTY=", "ÜBER=€"]);
});

test("sizes count bytes of UTF-8 with the NUL of each string", () => {
  const guest = fakeGuest({ args: ["é", "😀"] });
  guest.call("args_sizes_get", 0, 4);
  expect(numberAt(guest, 4)).toBe(3 + 5);
});

test("a guest without arguments and environment has two empty lists", () => {
  const guest = fakeGuest();
  expect(readList(guest, "args")).toEqual([]);
  expect(readList(guest, "environ")).toEqual([]);
});

describe("bad pointers are answered with fault and nothing is written", () => {
  const rows: readonly (readonly [string, number, number])[] = [
    ["sizes_get", pageBytes - 3, 0],
    ["sizes_get", 0, pageBytes - 3],
    ["sizes_get", -1, 0],
    ["get", pageBytes - 7, 0],
    ["get", 0, pageBytes - 7],
    ["get", -4, 0],
    ["get", 0, -4],
    ["get", 2 ** 31, 2 ** 31],
  ];
  for (const list of ["args", "environ"] as const) {
    test.each(rows)(`${list}_%s(%d, %d)`, (name, first, second) => {
      const guest = fakeGuest({
        args: ["a=b", "c=d"],
        env: [
          ["a", "b"],
          ["c", "d"],
        ],
      });
      expect(guest.call(`${list}_${name}`, first, second)).toBe(fault);
      expect(guest.bytes().every((byte) => byte === 0)).toBe(true);
    });
  }

  test("lists that end exactly with memory fit", () => {
    const guest = fakeGuest({ args: ["abc", "def"] });
    expect(guest.call("args_get", 0, pageBytes - 8)).toBe(success);
    expect(guest.call("args_get", pageBytes - 8, 0)).toBe(success);
  });
});

describe("checkArguments", () => {
  test("has nothing to say about ordinary ones", () => {
    expect(checkArguments(["guest", "", "ä"], [["PATH", "/bin:/usr/bin"]])).toBeUndefined();
    expect(checkArguments([], [])).toBeUndefined();
  });

  type Environment = readonly (readonly [string, string])[];
  const rows: readonly (readonly [name: string, args: readonly string[], env: Environment, says: RegExp])[] =
    [
      ["NUL in an argument", ["a", "b\0c"], [], /^Argument 1 contains a NUL character\.$/],
      ["half a surrogate pair", ["\ud800"], [], /^Argument 0 contains half of a surrogate pair/],
      ["NUL in a name", [], [["A\0", "b"]], /^The name of environment variable "A\\u0000" contains a NUL/],
      ["NUL in a value", [], [["A", "b\0"]], /^The value of environment variable "A" contains a NUL/],
      ["an empty name", [], [["", "b"]], /^An environment variable has an empty name\.$/],
      ["= in a name", [], [["A=B", "c"]], /^The name of environment variable "A=B" contains "="\.$/],
      ["a number", [7 as unknown as string], [], /^Argument 0 is not a string\.$/],
      ["no value", [], [["A", undefined as unknown as string]], /^The value .* "A" is not a string\.$/],
    ];
  test.each(rows)("refuses %s", (_name, args, env, says) => {
    expect(checkArguments(args, env)).toMatch(says);
  });

  test("allows exactly bounds.argumentBytesMax bytes, NULs included, and says how many there are beyond", () => {
    const fits = "x".repeat(bounds.argumentBytesMax - 1 - 4);
    expect(checkArguments([fits], [["A", "b"]])).toBeUndefined();
    expect(checkArguments([`${fits}x`], [["A", "b"]])).toBe(
      `Arguments and environment take ${bounds.argumentBytesMax + 1} bytes; at most ${bounds.argumentBytesMax} fit.`,
    );
  });

  test("counts bytes of UTF-8, not characters", () => {
    expect(checkArguments(["é".repeat(bounds.argumentBytesMax / 2)], [])).toMatch(/take 1048577 bytes/);
  });
});
