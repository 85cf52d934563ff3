// Methods that guests may and may not send, one test a row.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { screenMethod } from "../../src/egress/header-screen.ts";

describe("screenMethod", () => {
  for (const method of [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "QUERY",
    "PROPFIND",
    "get",
    "M-SEARCH",
  ]) {
    test(`takes ${method}`, () => expect(screenMethod(method)).toEqual({ ok: true, value: method }));
  }
  for (const method of ["CONNECT", "TRACE", "TRACK", "connect", "Trace", "tRaCk"]) {
    test(`never allows ${method}`, () => {
      expect(screenMethod(method)).toMatchObject({ ok: false, error: { reason: "method_not_allowed" } });
    });
  }
  const malformed = [
    "",
    " ",
    "GET ",
    " GET",
    "GET /x",
    "GE\tT",
    "GET\r\nX: y",
    "GET\n",
    "GET\0",
    "G\u0000T",
    "GÉT",
    "\u212aEY",
    "GET,POST",
    "GET:",
    "(GET)",
    "GET/1",
    "{}",
    '"GET"',
    "A".repeat(bounds.methodLengthMax + 1),
    undefined,
    null,
    7,
    {},
    ["GET"],
  ];
  for (const method of malformed) {
    test(`calls ${JSON.stringify(method) ?? "undefined"} malformed`, () => {
      expect(screenMethod(method)).toMatchObject({ ok: false, error: { reason: "invalid_method" } });
    });
  }
});
