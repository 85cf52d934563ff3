// The module parser meets bytes that nobody wrote for it: it reads them or says where they are wrong, and nothing else.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { ModuleFault, readBytes } from "../../src/guest/byte-reader.ts";
import { parseModule } from "../../src/guest/module-sections.ts";
import { compileHostile, hostilePrograms } from "../support/hostile-programs.ts";
import { emptyTypes, functionsOf, leb, moduleOf, named, section } from "../support/module-bytes.ts";

function faultOf(bytes: Uint8Array): string {
  try {
    parseModule(bytes);
  } catch (fault) {
    if (fault instanceof ModuleFault) return fault.message;
    throw fault;
  }
  return "";
}

describe("numbers", () => {
  const rows: readonly (readonly [bytes: readonly number[], value: number | undefined])[] = [
    [[0x00], 0],
    [[0x7f], 127],
    [[0x80, 0x01], 128],
    [[0xff, 0xff, 0xff, 0xff, 0x0f], 0xffff_ffff],
    [[0x80, 0x80, 0x80, 0x80, 0x00], 0],
    [[0xff, 0xff, 0xff, 0xff, 0x1f], undefined],
    [[0xff, 0xff, 0xff, 0xff, 0x7f], undefined],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], undefined],
    [[0x80], undefined],
    [[], undefined],
  ];
  test.each(rows)("LEB128 %j is %s", (bytes, value) => {
    const reader = readBytes(Uint8Array.from(bytes), 0, bytes.length);
    if (value === undefined) expect(() => reader.u32()).toThrow(ModuleFault);
    else expect([reader.u32(), reader.atEnd]).toEqual([value, true]);
  });

  test("what was written is read, for every 32-bit number", () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (value) => {
        const bytes = Uint8Array.from(leb(value));
        expect(readBytes(bytes, 0, bytes.length).u32()).toBe(value);
      }),
    );
  });

  test("a reader does not see beyond its part", () => {
    const inner = readBytes(Uint8Array.of(1, 2, 3), 0, 3).inner(1);
    expect(inner.u8()).toBe(1);
    expect(() => inner.u8()).toThrow(ModuleFault);
    expect(() => readBytes(Uint8Array.of(1), 0, 1).inner(2)).toThrow(ModuleFault);
  });

  test("a name must be UTF-8", () => {
    expect(readBytes(Uint8Array.of(2, 0xc3, 0xa9), 0, 3).name()).toBe("é");
    expect(() => readBytes(Uint8Array.of(2, 0xc3, 0x28), 0, 3).name()).toThrow("not UTF-8");
  });
});

describe("sections", () => {
  const { functions, code } = functionsOf([]);
  const rows: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
    ["a second type section", moduleOf(emptyTypes, emptyTypes), /section 1 is out of order/],
    ["sections in the wrong order", moduleOf(functions, emptyTypes), /section 1 is out of order/],
    ["an unknown section", moduleOf(section(14, [])), /section 14 is not known/],
    ["a section longer than the file", moduleOf([1, 100, 0]), /beyond the end/],
    [
      "a section longer than its content",
      moduleOf(section(1, [1, 0x60, 0, 0, 0])),
      /longer than what it holds/,
    ],
    ["more types than bytes", moduleOf(section(1, [100, 0x60, 0, 0])), /ends in the middle/],
    ["too many types", moduleOf(section(1, leb(bounds.moduleTypesMax + 1))), /function types; at most 10000/],
    ["a struct type", moduleOf(section(1, [1, 0x5f, 0])), /garbage collection/],
    ["an array type", moduleOf(section(1, [1, 0x5e, 0x7f, 1])), /garbage collection/],
    ["a recursion group", moduleOf(section(1, [1, 0x4e, 1, 0x5f, 0])), /garbage collection/],
    ["a subtype", moduleOf(section(1, [1, 0x50, 0, 0x60, 0, 0])), /garbage collection/],
    ["a continuation type", moduleOf(section(1, [1, 0x5d, 0])), /garbage collection/],
    ["a parameter of type anyref", moduleOf(section(1, [1, 0x60, 1, 0x6e, 0])), /not supported/],
    ["a parameter of type (ref 0)", moduleOf(section(1, [1, 0x60, 1, 0x64, 0, 0])), /not supported/],
    ["a table of anyref", moduleOf(section(4, [1, 0x6e, 0, 1])), /something else than funcref/],
    [
      "a table with an initial value",
      moduleOf(section(4, [1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b])),
      /initial/,
    ],
    ["a table with 64-bit indices", moduleOf(section(4, [1, 0x70, 4, 1])), /table is shared or has 64-bit/],
    ["too many tables", moduleOf(section(4, [65])), /65 tables; at most 64/],
    ["a shared memory", moduleOf(section(5, [1, 3, 1, 1])), /shared between threads/],
    ["a memory with 64-bit addresses", moduleOf(section(5, [1, 4, 1])), /64-bit addresses/],
    ["a memory with pages of one byte", moduleOf(section(5, [1, 8, 1, 0])), /of a form/],
    ["two memories", moduleOf(section(5, [2, 0, 1, 0, 1])), /more than one memory/],
    ["an import of an unknown kind", moduleOf(section(2, [1, 0, 0, 9])), /no known kind/],
    ["an import of a missing type", moduleOf(section(2, [1, 0, 0, 0, 5])), /type 5 does not exist/],
    ["too many imports", moduleOf(section(2, leb(1001))), /1001 imports; at most 1000/],
    ["too many exports", moduleOf(section(7, leb(10_001))), /10001 exports; at most 10000/],
    [
      "export names that are too long",
      moduleOf(section(7, [2, ...named("a".repeat(600_000)), 0, 0, ...named("b".repeat(600_000)), 0, 0])),
      /export names take more/,
    ],
    ["too many functions", moduleOf(section(3, leb(1_000_001))), /functions; at most 1000000/],
    ["a function that is too long", moduleOf(section(10, [1, ...leb(1_048_577)])), /code in one function/],
    ["code that ends early", moduleOf(emptyTypes, functions, code.with(-3, 100)), /beyond the end/],
  ];
  test.each(rows)("%s is refused", (_what, bytes, message) => {
    expect(faultOf(bytes)).toMatch(message);
  });

  test("more code than is allowed is refused, wherever it is", () => {
    const body = [...leb(1_048_576), ...new Array<number>(1_048_576).fill(0)];
    const bodies = new Uint8Array(33 * body.length);
    for (let at = 0; at < bodies.length; at += body.length) bodies.set(body, at);
    const start = moduleOf([10, ...leb(bodies.length + 1), 33]);
    const bytes = new Uint8Array(start.length + bodies.length);
    bytes.set(start);
    bytes.set(bodies, start.length);
    expect(faultOf(bytes)).toMatch(/more than the 33554432 bytes of code/);
  });

  test("custom sections may stand anywhere and say anything", () => {
    const custom = section(0, [...named("x"), 1, 2, 3]);
    expect(faultOf(moduleOf(custom, emptyTypes, custom, custom, functions, code, custom))).toBe("");
  });

  test("types are found by function index, imported functions first", () => {
    const types = section(1, [2, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7c, 1, 0x7e]);
    const imports = section(2, [1, ...named("m"), ...named("f"), 0, 1]);
    const { typeOf } = parseModule(moduleOf(types, imports, functions, code));
    expect(typeOf(0)).toEqual({ params: ["i32", "f64"], results: ["i64"] });
    expect(typeOf(1)).toEqual({ params: [], results: [] });
    expect(() => typeOf(2)).toThrow(ModuleFault);
  });
});

describe("any bytes", () => {
  test("a module that ends early is refused at every byte, or is a shorter module", async () => {
    for (const file of ["pointers.wat", "grow-table.wat", "start-name-taken.wat"]) {
      const whole = await compileHostile(file);
      for (let length = 8; length < whole.length; length += 1) {
        const cut = whole.subarray(0, length);
        // What the parser takes, the engine takes or refuses by itself; here it must only not fail otherwise.
        faultOf(cut);
      }
      expect(faultOf(whole)).toBe("");
      expect(faultOf(whole.subarray(0, whole.length - 1))).not.toBe("");
    }
  });

  test("a module with one byte changed is read or refused", async () => {
    const modules = await Promise.all(hostilePrograms.slice(0, 6).map(({ file }) => compileHostile(file)));
    fc.assert(
      fc.property(fc.constantFrom(...modules), fc.nat(), fc.nat(255), (bytes, at, value) => {
        faultOf(bytes.with(8 + (at % (bytes.length - 8)), value));
      }),
      { numRuns: 5_000 },
    );
  });

  test("random sections are read or refused", () => {
    const random = fc.array(fc.tuple(fc.nat(14), fc.array(fc.nat(255), { maxLength: 30 })), { maxLength: 6 });
    fc.assert(
      fc.property(random, (sections) => {
        faultOf(moduleOf(...sections.map(([id, content]) => section(id, content))));
      }),
      { numRuns: 5_000 },
    );
  });
});
