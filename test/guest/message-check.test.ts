// A guest's thread that was taken over can send what it likes: what our own code cannot have sent is not acted on.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkMessage } from "../../src/guest/message-check.ts";

const request = {
  run: 1,
  kind: "request",
  url: "http://a.example/",
  method: "GET",
  headers: [],
  body: undefined,
};

describe("messages of our own code are taken", () => {
  const rows: readonly unknown[] = [
    request,
    { ...request, headers: [["a", "b"]], body: Uint8Array.of(1) },
    { run: 1, kind: "read", handle: 1, bytesMax: 262_144 },
    { run: 1, kind: "close", handle: 4_294_967_295 },
    { run: 1, kind: "write", stream: 2, bytes: Uint8Array.of(1) },
    { run: 1, kind: "input", bytesMax: 1, waitMs: undefined },
    { run: 1, kind: "input", bytesMax: 1, waitMs: 0.5 },
    { run: 1, kind: "end", memoryBytes: 0, end: { kind: "returned", values: [1, 2n] } },
    { run: 1, kind: "end", memoryBytes: 0, end: { kind: "exited", code: 0 } },
    { run: 1, kind: "end", memoryBytes: 0, end: { kind: "trapped", message: "unreachable" } },
  ];
  test.each(rows)("%o", (message) => {
    expect(checkMessage(message)).toBe(message);
  });
});

describe("anything else is not", () => {
  const rows: readonly (readonly [what: string, message: unknown])[] = [
    ["nothing", undefined],
    ["null", null],
    ["text", "request"],
    ["no run", { ...request, run: undefined }],
    ["a run that is no number", { ...request, run: "1" }],
    ["an unknown kind", { run: 1, kind: "connect" }],
    ["a kind that every object has", { run: 1, kind: "constructor" }],
    ["a URL that is no text", { ...request, url: { toString: null } }],
    ["a URL over the bound", { ...request, url: "a".repeat(8_194) }],
    ["a method that is no text", { ...request, method: 1 }],
    ["headers that are no list", { ...request, headers: { length: 0 } }],
    ["a header that is no pair", { ...request, headers: [["a"]] }],
    ["a header's value that is no text", { ...request, headers: [["a", 1]] }],
    ["a list with holes", { ...request, headers: new Array(3) }],
    ["too many headers", { ...request, headers: new Array(102).fill(["a", "b"]) }],
    ["headers over the bound", { ...request, headers: [["a", "b".repeat(40_000)]] }],
    ["a body that is text", { ...request, body: "b" }],
    ["a body of other numbers", { ...request, body: new Float64Array(1) }],
    ["a body in shared memory", { ...request, body: new Uint8Array(new SharedArrayBuffer(1)) }],
    [
      "a body that can shrink",
      { ...request, body: new Uint8Array(new ArrayBuffer(1, { maxByteLength: 2 })) },
    ],
    ["a negative handle", { run: 1, kind: "read", handle: -1, bytesMax: 1 }],
    ["a handle with a fraction", { run: 1, kind: "close", handle: 0.5 }],
    ["a handle over 32 bits", { run: 1, kind: "close", handle: 2 ** 32 }],
    ["a read over the bound", { run: 1, kind: "read", handle: 1, bytesMax: 262_145 }],
    ["a read of NaN bytes", { run: 1, kind: "read", handle: 1, bytesMax: Number.NaN }],
    ["output to a third stream", { run: 1, kind: "write", stream: 3, bytes: Uint8Array.of(1) }],
    ["output over the bound", { run: 1, kind: "write", stream: 1, bytes: new Uint8Array(65_537) }],
    ["a negative wait", { run: 1, kind: "input", bytesMax: 1, waitMs: -1 }],
    ["a wait of NaN", { run: 1, kind: "input", bytesMax: 1, waitMs: Number.NaN }],
    ["an end without an end", { run: 1, kind: "end", memoryBytes: 0 }],
    ["an unknown end", { run: 1, kind: "end", memoryBytes: 0, end: { kind: "deadline" } }],
    [
      "an exit code that is no number",
      { run: 1, kind: "end", memoryBytes: 0, end: { kind: "exited", code: "0" } },
    ],
    ["a trap without words", { run: 1, kind: "end", memoryBytes: 0, end: { kind: "trapped" } }],
    [
      "results that are no list",
      { run: 1, kind: "end", memoryBytes: 0, end: { kind: "returned", values: "1" } },
    ],
  ];
  test.each(rows)("%s", (_what, message) => {
    expect(checkMessage(message)).toBeUndefined();
  });

  test("no value makes the check throw", () => {
    fc.assert(
      fc.property(fc.anything({ withTypedArray: true, withBigInt: true, withSparseArray: true }), (value) => {
        expect(checkMessage(value)).toBeUndefined();
      }),
    );
  });
});
