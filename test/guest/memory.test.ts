// Guest memory is reached only through checked access, whatever numbers a guest passes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guestMemory, unsigned } from "../../src/guest/thread/memory.ts";
import { compileWatText } from "../support/wat.ts";

const pageBytes = 65_536;

function onePage() {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  return { wasm, memory: guestMemory(() => wasm) };
}

const outOfRange = { ok: false, error: "out_of_range" };
const noMemory = { ok: false, error: "no_memory" };

describe("ranges", () => {
  const rows: readonly (readonly [pointer: number, length: number, inside: boolean])[] = [
    [0, 0, true],
    [0, pageBytes, true],
    [pageBytes, 0, true],
    [pageBytes - 1, 1, true],
    [pageBytes, 1, false],
    [pageBytes + 1, 0, false],
    [0, pageBytes + 1, false],
    [-1, 0, false],
    [-1, 1, false],
    [-1, 2, false],
    [0, -1, false],
    [8, -8, false],
    [-8, 16, false],
    [-(2 ** 31), -(2 ** 31), false],
    [0xffff_ffff, 1, false],
    [0xffff_ffff, 0xffff_ffff, false],
    [2 ** 32, 0, false],
    [Number.NaN, 0, false],
    [0, Number.NaN, false],
    [Number.POSITIVE_INFINITY, 0, false],
  ];
  test.each(rows)("%d bytes at %d... inside one page: %s", (pointer, length, inside) => {
    const { memory } = onePage();
    expect(memory.check(pointer, length).ok).toBe(inside);
    expect(memory.readBytes(pointer, length).ok).toBe(inside);
    expect(memory.readUtf8(pointer, length).ok).toBe(inside);
    if (!inside) expect(memory.check(pointer, length)).toEqual(outOfRange);
  });

  test("access is inside exactly when the mathematical range is, for any two 32-bit arguments", () => {
    const { memory } = onePage();
    const i32 = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: 0, max: 2 * pageBytes }),
    );
    fc.assert(
      fc.property(i32, i32, (pointer, length) => {
        const inside = BigInt(unsigned(pointer)) + BigInt(unsigned(length)) <= BigInt(pageBytes);
        expect(memory.check(pointer, length).ok).toBe(inside);
      }),
    );
  });

  const scalars = [
    ["U8", 1],
    ["U16", 2],
    ["U32", 4],
    ["U64", 8],
  ] as const;
  test.each(scalars)("read%s and write%s need all their bytes inside", (width, size) => {
    const { wasm, memory } = onePage();
    const write = (pointer: number) =>
      width === "U64" ? memory.writeU64(pointer, 2n ** 64n - 1n) : memory[`write${width}`](pointer, -1);
    expect(write(pageBytes - size + 1)).toEqual(outOfRange);
    expect(write(-1)).toEqual(outOfRange);
    expect(memory[`read${width}`](pageBytes - size + 1)).toEqual(outOfRange);
    expect(new Uint8Array(wasm.buffer).every((byte) => byte === 0)).toBe(true);
    expect(write(pageBytes - size).ok).toBe(true);
    expect(new Uint8Array(wasm.buffer).reduce((sum, byte) => sum + byte, 0)).toBe(255 * size);
    expect(memory[`read${width}`](pageBytes - size)).toEqual({
      ok: true,
      value: width === "U64" ? 2n ** 64n - 1n : 2 ** (8 * size) - 1,
    });
  });
});

test("numbers are little-endian and need no alignment", () => {
  const { wasm, memory } = onePage();
  memory.writeU16(1, 0x0102);
  memory.writeU32(3, 0x01020304);
  memory.writeU64(7, 0x0102030405060708n);
  expect([...new Uint8Array(wasm.buffer, 0, 16)]).toEqual([0, 2, 1, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(memory.readU16(1)).toEqual({ ok: true, value: 0x0102 });
  expect(memory.readU32(3)).toEqual({ ok: true, value: 0x01020304 });
  expect(memory.readU64(7)).toEqual({ ok: true, value: 0x0102030405060708n });
});

test("a write that does not fit writes nothing", () => {
  const { wasm, memory } = onePage();
  expect(memory.writeBytes(pageBytes - 2, new Uint8Array([1, 2, 3]))).toEqual(outOfRange);
  expect(new Uint8Array(wasm.buffer).every((byte) => byte === 0)).toBe(true);
});

test("what was read is a copy: the guest cannot change it afterwards, nor can the host change the guest", () => {
  const { wasm, memory } = onePage();
  const read = memory.readBytes(0, 4);
  if (!read.ok) throw new Error(read.error);
  new Uint8Array(wasm.buffer)[0] = 7;
  read.value[1] = 9;
  expect([...read.value]).toEqual([0, 9, 0, 0]);
  expect(memory.readU8(1)).toEqual({ ok: true, value: 0 });
  expect(read.value.buffer.byteLength).toBe(4);
});

test("growth, which detaches the old buffer, is seen by the next access", () => {
  const { wasm, memory } = onePage();
  expect(memory.writeU8(pageBytes, 1)).toEqual(outOfRange);
  wasm.grow(1);
  expect(memory.writeU8(pageBytes, 1).ok).toBe(true);
  expect(memory.readU8(2 * pageBytes - 1)).toEqual({ ok: true, value: 0 });
  wasm.grow(0);
  expect(memory.readU8(pageBytes)).toEqual({ ok: true, value: 1 });
});

describe("no memory", () => {
  test("is told apart from a bad pointer, on every kind of access", () => {
    const memory = guestMemory(() => undefined);
    expect(memory.check(0, 0)).toEqual(noMemory);
    expect(memory.readBytes(-1, -1)).toEqual(noMemory);
    expect(memory.readUtf8(0, 0)).toEqual(noMemory);
    expect(memory.readU32(0)).toEqual(noMemory);
    expect(memory.writeBytes(0, new Uint8Array(0))).toEqual(noMemory);
    expect(memory.writeU64(0, 0n)).toEqual(noMemory);
  });

  test("is also what a module has that exports something else under that name", async () => {
    const bytes = await compileWatText(
      `(module (memory 1) (func (export "memory")) (global (export "global") i32 (i32.const 0)))`,
    );
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    for (const exported of [exports.memory, exports.global]) {
      const memory = guestMemory(() => exported as unknown as WebAssembly.Memory);
      expect(memory.readU8(0)).toEqual(noMemory);
    }
  });

  test("may become memory later: the getter is asked every time", () => {
    let wasm: WebAssembly.Memory | undefined;
    const memory = guestMemory(() => wasm);
    expect(memory.readU8(0)).toEqual(noMemory);
    wasm = new WebAssembly.Memory({ initial: 1 });
    expect(memory.readU8(0)).toEqual({ ok: true, value: 0 });
  });
});

describe("text", () => {
  const rows: readonly (readonly [name: string, bytes: readonly number[], text: string | undefined])[] = [
    ["nothing", [], ""],
    ["ASCII with NUL", [65, 0, 66], "A\0B"],
    ["two, three and four bytes", [...Buffer.from("é€😀")], "é€😀"],
    ["a byte order mark, which stays", [0xef, 0xbb, 0xbf, 65], "\ufeffA"],
    ["a lone continuation", [0x80], undefined],
    ["a sequence cut short", [0xe2, 0x82], undefined],
    ["an overlong slash", [0xc0, 0xaf], undefined],
    ["a surrogate", [0xed, 0xa0, 0x80], undefined],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80], undefined],
    ["0xff", [0xff], undefined],
  ];
  test.each(rows)("%s", (_name, bytes, text) => {
    const { memory } = onePage();
    memory.writeBytes(100, Uint8Array.from(bytes));
    const expected = text === undefined ? { ok: false, error: "not_utf8" } : { ok: true, value: text };
    expect(memory.readUtf8(100, bytes.length)).toEqual(expected);
    expect(memory.readUtf8(0, 2)).toEqual({ ok: true, value: "\0\0" });
  });

  test("is read from a shared memory as well, by way of a copy", () => {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const memory = guestMemory(() => wasm);
    memory.writeBytes(0, Buffer.from("shared"));
    expect(memory.readUtf8(0, 6)).toEqual({ ok: true, value: "shared" });
    const bytes = memory.readBytes(0, 6);
    expect(bytes.ok && bytes.value.buffer instanceof ArrayBuffer).toBe(true);
  });
});
