// What becomes of a file before it runs: refused in words that a person can act on, or compiled with the ceilings in it.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { ok } from "../../src/core/result.ts";
import { ModuleFault } from "../../src/guest/byte-reader.ts";
import { openTypeLedger } from "../../src/guest/function-type-ledger.ts";
import { openModuleCache } from "../../src/guest/module-cache.ts";
import { rewriteModule } from "../../src/guest/module-rewrite.ts";
import { parseModule } from "../../src/guest/module-sections.ts";
import { prepareModule } from "../../src/guest/prepare-module.ts";
import { emptyTypes, functionsOf, moduleOf, named, section } from "../support/module-bytes.ts";
import { compileWatText } from "../support/wat.ts";

const mebibyte = 1_048_576;

async function problemOf(module: Uint8Array | string, memoryBytesMax = 16 * mebibyte) {
  const bytes = typeof module === "string" ? await compileWatText(module) : module;
  const found = await prepareModule(bytes, { memoryBytesMax });
  if (found.ok) throw new Error("it was taken");
  return found.error;
}

async function preparedOf(module: Uint8Array | string, memoryBytesMax = 16 * mebibyte) {
  const bytes = typeof module === "string" ? await compileWatText(module) : module;
  const found = await prepareModule(bytes, { memoryBytesMax });
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

describe("files that are no core module", () => {
  const magic = [0x00, 0x61, 0x73, 0x6d];
  const rows: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp, remedy: RegExp])[] = [
    ["an empty file", Uint8Array.of(), /is empty/, /give a WebAssembly module/],
    ["a text", Buffer.from("hello"), /does not begin with the bytes 00 61 73 6d/, /\.wasm file/],
    ["WebAssembly text", Buffer.from("  (module)"), /is WebAssembly text/, /wat2wasm/],
    ["half a preamble", Uint8Array.of(...magic, 1), /ends in its first eight bytes/, /complete/],
    [
      "a component",
      Uint8Array.of(...magic, 0x0d, 0, 1, 0),
      /is a component; components are not supported by this version/,
      /core module/,
    ],
    ["a later version", Uint8Array.of(...magic, 2, 0, 0, 0), /version of WebAssembly/, /version 1/],
    ["a module that ends early", moduleOf([1]), /ends in the middle \(at byte 9\)/, /complete/],
  ];
  test.each(rows)("%s is refused with its own sentence", async (_what, bytes, message, remedy) => {
    const problem = await problemOf(bytes);
    expect(problem.message).toMatch(message);
    expect(problem.remedy).toMatch(remedy);
  });

  test("a file over the bound is refused before it is looked at", async () => {
    const problem = await problemOf(new Uint8Array(bounds.moduleBytesMax + 1));
    expect(problem.message).toBe("the module has 134217729 bytes; at most 134217728 are allowed");
  });

  test("what only the engine can see is told with its place in the file as it was given", async () => {
    // The memory section shrinks when it is rewritten: the place must not.
    const memory = section(5, [1, 1, 1, 0x90, 0x80, 0x80, 0x80, 0x00]);
    const { functions, code } = functionsOf([0x41, 0]);
    const bytes = moduleOf(emptyTypes, functions, memory, code);
    const problem = await problemOf(bytes);
    expect(problem.message).toMatch(
      /^the module is not valid WebAssembly: Compiling function #0 failed: .* \(at byte \d+\)$/,
    );
    expect(problem.offset).toBe(bytes.length - 1);
  });
});

describe("imports", () => {
  const rows: readonly (readonly [what: string, imports: string, message: RegExp, remedy: RegExp])[] = [
    [
      "an unknown module",
      `(import "env" "abort" (func (param i32)))`,
      /imports "env" "abort" \(function\), which this host does not have/,
      /^the host has wasi_snapshot_preview1 .* wasi_experimental_http \(req, close, header_get, headers_get_all, body_read\)$/,
    ],
    [
      "an unknown function of a known module",
      `(import "wasi_experimental_http" "send" (func))`,
      /"wasi_experimental_http" "send" \(function\), which this host does not have/,
      /^wasi_experimental_http has req, close, header_get, headers_get_all, body_read$/,
    ],
    [
      "the old name of WASI",
      `(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))`,
      /"wasi_unstable" "fd_write"/,
      /wasm32-wasip1$/,
    ],
    [
      "a known function with another type",
      `(import "wasi_experimental_http" "close" (func (param i64) (result i32)))`,
      /"close" as \(i64\) -> \(i32\), but it is \(i32\) -> \(i32\)/,
      /./,
    ],
    [
      "a known function without its result",
      `(import "wasi_snapshot_preview1" "fd_close" (func (param i32)))`,
      /"fd_close" as \(i32\) -> \(\), but it is \(i32\) -> \(i32\)/,
      /./,
    ],
    [
      "proc_exit with a result",
      `(import "wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32)))`,
      /but it is \(i32\) -> \(\)/,
      /./,
    ],
    [
      "a known name as a global",
      `(import "wasi_snapshot_preview1" "fd_close" (global i32))`,
      /"fd_close" as a global, but it is a function/,
      /./,
    ],
    ["a table", `(import "env" "table" (table 1 funcref))`, /"env" "table" \(table\)/, /./],
    ["a name with a line end", `(import "a\\nb" "c" (func))`, /imports "a\\nb" "c"/, /./],
    [
      "several at once",
      `(import "a" "b" (func)) (import "c" "d" (global i64)) (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))`,
      /"a" "b" \(function\), .*"c" "d" \(global\), which this host does not have \(at byte \d+\)$/,
      /./,
    ],
  ];
  test.each(rows)("%s is refused", async (_what, imports, message, remedy) => {
    const problem = await problemOf(`(module ${imports})`);
    expect(problem.message).toMatch(message);
    expect(problem.remedy).toMatch(remedy);
  });

  test("only ten of many are told", async () => {
    const imports = Array.from({ length: 25 }, (_, index) => `(import "m" "f${index}" (func))`);
    expect((await problemOf(`(module ${imports.join("")})`)).message).toMatch(/"f9" .*, and 15 more/);
  });

  test("all that WASI and the five functions are is taken", async () => {
    const found = await preparedOf(`(module
      (import "wasi_experimental_http" "req" (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
      (import "wasi_experimental_http" "close" (func (param i32) (result i32)))
      (import "wasi_experimental_http" "header_get" (func (param i32 i32 i32 i32 i32 i32) (result i32)))
      (import "wasi_experimental_http" "headers_get_all" (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_experimental_http" "body_read" (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (func (export "get") (param i32 f32) (result i64 f64) (i64.const 1) (f64.const 2)))`);
    expect([...found.functions]).toEqual([["get", { params: ["i32", "f32"], results: ["i64", "f64"] }]]);
  });
});

describe("memory and tables", () => {
  function grownPages(module: WebAssembly.Module): number {
    const { exports } = new WebAssembly.Instance(module);
    const memory = exports.memory as WebAssembly.Memory;
    let pages = memory.buffer.byteLength / 65_536;
    try {
      for (; ; pages += 1) memory.grow(1);
    } catch {
      return pages;
    }
  }

  const rows: readonly (readonly [declared: string, capBytes: number, pages: number])[] = [
    ["1", 4 * 65_536, 4],
    ["1 3", 4 * 65_536, 3],
    ["1 100", 4 * 65_536, 4],
    ["4", 4 * 65_536, 4],
    ["0", 4 * 65_536 + 65_535, 4],
    ["0", 65_535, 0],
    ["0", 0, 0],
  ];
  test.each(rows)("(memory %s) under %d bytes grows to %d pages", async (declared, capBytes, pages) => {
    const found = await preparedOf(`(module (memory (export "memory") ${declared}))`, capBytes);
    expect(grownPages(found.module)).toBe(pages);
  });

  test("a module that needs more than it may have is told how much", async () => {
    const problem = await problemOf("(module (memory 5))", 4 * 65_536);
    expect(problem.message).toBe(
      "the module cannot be run: it needs 327680 bytes of memory at its start, and 262144 are allowed",
    );
    expect(problem.remedy).toMatch(/^allow at least 327680 bytes \(--max-memory, memoryBytesMax\)/);
  });

  test("an imported memory is described with the cap", async () => {
    const found = await preparedOf(`(module (import "env" "memory" (memory 2)))`);
    expect(found.importedMemory).toEqual({ module: "env", name: "memory", pagesMin: 2, pagesMax: 256 });
    expect((await problemOf(`(module (import "env" "memory" (memory 2)))`, 65_536)).message).toMatch(
      /131072/,
    );
  });

  test("an imported memory beside one of its own is refused", async () => {
    const imports = section(2, [1, ...named("env"), ...named("memory"), 2, 0, 1]);
    expect((await problemOf(moduleOf(imports, section(5, [1, 0, 1])))).message).toMatch(
      /more than one memory/,
    );
  });

  const tableRows: readonly (readonly [
    tables: string,
    sizes: readonly (number | undefined)[] | undefined,
  ])[] = [
    ["(table 1 funcref)", [262_144]],
    ["(table 1 10 funcref)", [10]],
    ["(table 1 1000000 externref)", [262_144]],
    ["(table 0 funcref) (table 1 5 funcref)", [131_072, 5]],
    ["(table 200000 funcref) (table 1 funcref)", [200_000, 131_072]],
    ["(table 262144 funcref)", [262_144]],
    ["(table 262145 funcref)", undefined],
    ["(table 200000 funcref) (table 100000 externref)", undefined],
  ];
  test.each(tableRows)("%s may have at most %j entries", async (tables, sizes) => {
    const bytes = await compileWatText(`(module ${tables})`);
    if (sizes === undefined) {
      expect((await problemOf(bytes)).message).toMatch(/tables have \d+ entries; at most 262144/);
      return;
    }
    await preparedOf(bytes);
    const rewritten = rewriteModule(bytes, parseModule(bytes), 1);
    expect(parseModule(rewritten.bytes).tables.map(({ max }) => max)).toEqual(sizes);
  });

  test("types of garbage collection are refused: their objects are bounded by nothing", async () => {
    const problem = await problemOf(moduleOf(section(1, [1, 0x5f, 1, 0x7e, 1])));
    expect(problem.message).toMatch(/uses types of garbage collection, which are not supported/);
    expect(problem.remedy).toBe("build the guest without WebAssembly GC");
  });
});

describe("start sections", () => {
  test("a start section becomes an export that nothing of the guest is called", async () => {
    const text = `(module (func $s) (start $s) (func (export "__sallyport_start") (result i32) (i32.const 1)))`;
    const found = await preparedOf(text);
    expect(found.startExport).toBe("__sallyport_start_");
    expect([...found.functions.keys()]).toEqual(["__sallyport_start"]);
    expect(WebAssembly.Module.exports(found.module).map(({ name }) => name)).toEqual([
      "__sallyport_start",
      "__sallyport_start_",
    ]);
  });

  test("it also does where nothing else is exported", async () => {
    const found = await preparedOf("(module (func $s unreachable) (start $s))");
    expect(found.startExport).toBe("__sallyport_start");
    // Not run by instantiation any more.
    new WebAssembly.Instance(found.module);
  });

  const { functions, code } = functionsOf([]);
  test("a start function that does not exist is refused", async () => {
    const problem = await problemOf(moduleOf(emptyTypes, functions, section(8, [7]), code));
    expect(problem.message).toMatch(/function 7 does not exist/);
  });

  test("a start function that takes something is refused, as the engine would", async () => {
    const types = section(1, [1, 0x60, 1, 0x7f, 0]);
    const problem = await problemOf(moduleOf(types, functions, section(8, [0]), code));
    expect(problem.message).toMatch(/start function takes or returns something/);
  });

  test("exports of every kind survive the rewriting", async () => {
    const text = `(module (memory (export "m") 1) (table (export "t") 1 funcref) (global (export "g") i32 (i32.const 5))
      (func $s) (export "\\c3\\a9" (func $s)) (start $s))`;
    const found = await preparedOf(text);
    expect(WebAssembly.Module.exports(found.module).map(({ name, kind }) => [name, kind])).toEqual([
      ["m", "memory"],
      ["t", "table"],
      ["g", "global"],
      ["é", "function"],
      ["__sallyport_start", "function"],
    ]);
  });
});

describe("sharing", () => {
  test("the same bytes are compiled once, also when asked for at the same time", async () => {
    const text = `(module (func (export "shared")))`;
    const [one, two] = await Promise.all([preparedOf(text), preparedOf(text)]);
    expect(two).toBe(one);
    expect(await preparedOf(text)).toBe(one);
    expect(one.sha256).toBe(
      createHash("sha256")
        .update(await compileWatText(text))
        .digest("hex"),
    );
  });

  test("another ceiling is another module", async () => {
    const text = `(module (memory (export "memory") 1))`;
    const one = await preparedOf(text, 65_536);
    const two = await preparedOf(text, 131_072);
    expect(two.module).not.toBe(one.module);
    expect(two.sha256).toBe(one.sha256);
  });

  test("the owner of the bytes may change them as soon as the call has returned", async () => {
    const bytes = await compileWatText(`(module (func (export "before")))`);
    const promise = prepareModule(bytes, { memoryBytesMax: 0 });
    bytes.fill(0);
    const found = await promise;
    expect(found.ok && [...found.value.functions.keys()]).toEqual(["before"]);
  });

  test("the cache forgets what was not asked for the longest, by number and by bytes", async () => {
    const cache = openModuleCache<number, string>({ entriesMax: 3, bytesMax: 10, bytesOf: (value) => value });
    const made: string[] = [];
    const get = async (key: string, value: number): Promise<void> => {
      await cache.get(key, async () => {
        made.push(key);
        return ok(value);
      });
    };
    for (const key of ["a", "b", "c", "a", "d", "a", "b"]) await get(key, 1);
    expect(made.splice(0)).toEqual(["a", "b", "c", "d", "b"]);
    await get("large", 9);
    await get("too large", 11);
    await get("too large", 11);
    await get("b", 1);
    await get("a", 1);
    expect(made).toEqual(["large", "too large", "too large", "a"]);
  });

  test("a failure is not kept", async () => {
    const cache = openModuleCache<number, string>({ entriesMax: 3, bytesMax: 10, bytesOf: (value) => value });
    let tries = 0;
    const make = async () => {
      tries += 1;
      return { ok: false, error: "no" } as const;
    };
    await cache.get("a", make);
    await cache.get("a", make);
    expect(tries).toBe(2);
  });
});

describe("function types of the whole process", () => {
  const type = (count: number) => ({ params: new Array<"i32">(count).fill("i32"), results: [] });

  test("known ones are free, and too many new ones are refused", () => {
    const ledger = openTypeLedger(3);
    ledger.note([type(0), type(1), type(1)]);
    ledger.note([type(0), type(2)]);
    expect(() => ledger.note([type(3)])).toThrow(ModuleFault);
    ledger.note([type(2), type(1), type(0)]);
  });

  test("long types that differ at their end are two", () => {
    const ledger = openTypeLedger(1);
    ledger.note([type(1_000)]);
    expect(() => ledger.note([{ ...type(1_000), results: ["i32"] }])).toThrow(ModuleFault);
  });
});
