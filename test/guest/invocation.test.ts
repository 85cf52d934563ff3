// Arguments and results of a guest's export as text, and the plan of a run.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planInvocation, resultTexts } from "../../src/guest/invocation.ts";
import type { FunctionType, ValueType } from "../../src/guest/module-form.ts";

const none: FunctionType = { params: [], results: [] };

function plan(
  functions: Readonly<Record<string, FunctionType>>,
  invoke: string,
  args: readonly string[] = [],
  startExport?: string,
) {
  return planInvocation({ functions: new Map(Object.entries(functions)), startExport }, invoke, args);
}

describe("what is called", () => {
  const get: FunctionType = { params: [], results: ["i32"] };
  const rows: readonly (readonly [
    functions: Readonly<Record<string, FunctionType>>,
    start: string | undefined,
    invoke: string,
    before: readonly string[],
    main: string | undefined,
  ])[] = [
    [{ _start: none }, undefined, "_start", [], "_start"],
    [{ _start: none, get }, undefined, "get", [], "get"],
    [{ _initialize: none, get }, undefined, "get", ["_initialize"], "get"],
    [{ _initialize: none, get }, undefined, "_start", ["_initialize"], undefined],
    [{ _initialize: none, get }, undefined, "_initialize", [], "_initialize"],
    [{ _initialize: none, _start: none }, undefined, "_start", ["_initialize"], "_start"],
    [{ get }, "start", "get", ["start"], "get"],
    [{}, "start", "_start", ["start"], undefined],
    [{ _initialize: none, get }, "start", "get", ["start", "_initialize"], "get"],
  ];
  test.each(rows)(
    "%j with start %s, invoked as %s: first %j, then %s",
    (functions, start, invoke, before, main) => {
      const found = plan(functions, invoke, [], start);
      expect(found).toMatchObject({ ok: true, value: { before } });
      expect(found.ok && found.value.main?.name).toBe(main);
    },
  );

  test("a missing export is told with those that there are", () => {
    expect(plan({ get, post: none, _initialize: none }, "put")).toEqual({
      ok: false,
      error: {
        message: 'the module exports no function "put"',
        remedy: "invoke one of those it exports: get, post",
      },
    });
    expect(plan({ get }, "_start")).toMatchObject({ error: { message: /no function "_start"/ } });
    expect(plan({}, "_start")).toMatchObject({ error: { remedy: "export a function from the guest" } });
  });

  test("the names of a module with thousands of exports are not all told", () => {
    const functions = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, none]));
    const found = plan(functions, "put");
    expect(found.ok ? "" : found.error.remedy).toMatch(/: f0, .*f19, \.\.\.$/);
  });

  test.each(["_start", "_initialize"])("a %s that takes something is refused", (name) => {
    expect(plan({ [name]: { params: ["i32"], results: [] } }, name, ["1"])).toMatchObject({ ok: false });
  });

  test("the arguments of a command are its argv, and not converted", () => {
    expect(plan({ _start: none }, "_start", ["a", "b"])).toMatchObject({ value: { main: { values: [] } } });
  });
});

describe("arguments", () => {
  const maxInt64 = 2n ** 63n - 1n;
  const rows: readonly (readonly [type: ValueType, text: string, value: number | bigint | undefined])[] = [
    ["i32", "0", 0],
    ["i32", "-1", -1],
    ["i32", "+7", 7],
    ["i32", "007", 7],
    ["i32", "2147483647", 2_147_483_647],
    ["i32", "2147483648", -2_147_483_648],
    ["i32", "4294967295", -1],
    ["i32", "0xff", 255],
    ["i32", "4294967296", undefined],
    ["i32", "-2147483649", undefined],
    ["i32", "1.0", undefined],
    ["i32", "1e3", undefined],
    ["i32", "", undefined],
    ["i32", " 1", undefined],
    ["i32", "one", undefined],
    ["i32", "-0x1", undefined],
    ["i32", "1".repeat(100_000), undefined],
    ["i64", "9223372036854775807", maxInt64],
    ["i64", "18446744073709551615", -1n],
    ["i64", "-9223372036854775808", -maxInt64 - 1n],
    ["i64", "18446744073709551616", undefined],
    ["i64", "1n", undefined],
    ["f64", "0.1", 0.1],
    ["f64", "-1e3", -1_000],
    ["f64", ".5", 0.5],
    ["f64", "5.", 5],
    ["f64", "inf", Number.POSITIVE_INFINITY],
    ["f64", "-Infinity", Number.NEGATIVE_INFINITY],
    ["f64", "nan", Number.NaN],
    ["f64", "1e400", undefined],
    ["f64", "0x10", undefined],
    ["f64", "", undefined],
    ["f64", ".", undefined],
    ["f64", "1_000", undefined],
    ["f32", "0.1", Math.fround(0.1)],
    ["f32", "1e39", undefined],
    ["f32", "-inf", Number.NEGATIVE_INFINITY],
  ];
  test.each(rows)("as %s, %s is %s", (type, text, value) => {
    const found = plan({ f: { params: [type], results: [] } }, "f", [text]);
    if (value !== undefined) expect(found.ok && found.value.main?.values).toEqual([value]);
    else expect(found).toMatchObject({ ok: false, error: { message: expect.stringMatching(`no ${type}$`) } });
  });

  test("their number must be right", () => {
    const found = plan({ f: { params: ["i32", "i64"], results: [] } }, "f", ["1"]);
    expect(found).toMatchObject({
      error: { message: '"f" takes 2 arguments (i32, i64), and 1 were given' },
    });
    expect(plan({ f: none }, "f", ["1"])).toMatchObject({ ok: false });
  });

  test.each(["v128", "funcref", "externref"] as const)("a %s cannot be given or shown", (type) => {
    expect(plan({ f: { params: [type], results: [] } }, "f", ["1"])).toMatchObject({
      error: { message: `"f" takes or returns a ${type}, which cannot be written as text` },
    });
    expect(plan({ f: { params: [], results: [type] } }, "f")).toMatchObject({ ok: false });
  });
});

describe("results", () => {
  const rows: readonly (readonly [type: ValueType, value: number | bigint, text: string])[] = [
    ["i32", -1, "-1"],
    ["i64", -1n, "-1"],
    ["i64", 2n ** 63n - 1n, "9223372036854775807"],
    ["f32", Math.fround(0.1 + 0.2), "0.3"],
    ["f32", Math.fround(0.1), "0.1"],
    ["f32", 16_777_216, "16777216"],
    ["f32", Math.fround(3.4028235e38), "340282350000000000000000000000000000000"],
    ["f32", 2 ** -149, `0.${"0".repeat(44)}1`],
    ["f64", 0.1 + 0.2, "0.30000000000000004"],
    ["f64", 1e21, "1000000000000000000000"],
    ["f64", 1.5e21, "1500000000000000000000"],
    ["f64", -1.25e-7, "-0.000000125"],
    ["f64", 1e-7, "0.0000001"],
    ["f64", 5e-324, `0.${"0".repeat(323)}5`],
    ["f64", 3, "3"],
    ["f64", -0, "-0"],
    ["f64", Number.NaN, "NaN"],
    ["f64", Number.POSITIVE_INFINITY, "inf"],
    ["f64", Number.NEGATIVE_INFINITY, "-inf"],
  ];
  test.each(rows)("the %s %s is shown as %s", (type, value, text) => {
    expect(resultTexts([type], [value])).toEqual([text]);
  });

  test("what is shown means the same number, without an exponent", () => {
    const float = fc.oneof(fc.float({ noNaN: true }), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(float, fc.boolean(), (given, single) => {
        const value = single ? Math.fround(given) : given;
        const [text = ""] = resultTexts([single ? "f32" : "f64"], [value]) ?? [];
        const read = Number(text.replace("inf", "Infinity"));
        expect(single ? Math.fround(read) : read).toBe(value);
        expect(text).not.toContain("e");
      }),
    );
  });

  test("values that are not of these types are refused: they come from the guest's thread", () => {
    expect(resultTexts(["i32"], [])).toBeUndefined();
    expect(resultTexts(["i32"], [1n])).toBeUndefined();
    expect(resultTexts(["i64"], [1])).toBeUndefined();
    expect(resultTexts(["f64"], ["1"])).toBeUndefined();
    expect(resultTexts([], [1])).toBeUndefined();
  });
});
