// The readings of a path that deny rules are held against.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { decodings } from "../../src/policy/path-decoding.ts";

const rows: readonly (readonly [string, readonly string[]])[] = [
  ["/v1/admin", ["/v1/admin"]],
  ["/a%20b", ["/a b"]],
  ["/v1%2Fadmin", ["/v1/admin", "/v1%2Fadmin"]],
  ["/v1%5Cadmin", ["/v1\\admin", "/v1%5Cadmin", "/v1/admin"]],
  ["/admin%00.png", ["/admin\0.png", "/admin%00.png", "/admin"]],
  ["/%2561dmin", ["/%61dmin", "/admin"]],
  ["/x%2F..%2Fadmin", ["/x/../admin", "/x%2F..%2Fadmin", "/admin"]],
  ["/x/%252e%252e/admin", ["/x/%2e%2e/admin", "/x/../admin", "/admin"]],
  ["/v1//admin", ["/v1//admin", "/v1/admin"]],
  ["//admin", ["//admin", "/admin"]],
  ["/%00", ["/\0", "/%00", "/"]],
];

describe("the readings of a path", () => {
  for (const [path, readings] of rows) {
    test(`${path} can be ${readings.map((reading) => JSON.stringify(reading)).join(" or ")}`, () => {
      expect([...(decodings(path) ?? [])].toSorted()).toEqual(readings.toSorted());
    });
  }

  test("a path with more readings than anybody means has none", () => {
    expect(decodings(`/${"%25".repeat(200)}`)).not.toBeUndefined();
    expect(decodings(`/%${"25".repeat(bounds.pathDecodingsMax + 1)}41`)).toBeUndefined();
  });
});
