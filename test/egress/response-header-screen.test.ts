// Response headers as they come from the wire, and what a guest hears of them.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { screenResponseHeaders } from "../../src/egress/header-screen.ts";
import type { HeaderField } from "../../src/egress/message.ts";

const rows: readonly (readonly [title: string, raw: readonly HeaderField[], expected: string])[] = [
  ["names go in lower case", [["Content-Type", "text/plain"]], "content-type: text/plain"],
  [
    "repeats are kept in order",
    [
      ["Set-Cookie", "a"],
      ["X", "b"],
      ["set-cookie", "c"],
    ],
    "set-cookie: a|x: b|set-cookie: c",
  ],
  ["values are trimmed", [["x", " \ta\t "]], "x: a"],
  ["octets above ASCII are text", [["x", "\u00e9\u0085"]], "x: \u00e9\u0085"],
  [
    "connection is taken out",
    [
      ["Connection", "close"],
      ["x", "a"],
    ],
    "x: a",
  ],
  [
    "what connection names is taken out",
    [
      ["Connection", "X-Hop , y"],
      ["x-hop", "a"],
      ["Y", "b"],
      ["z", "c"],
    ],
    "z: c",
  ],
  [
    "in whatever order",
    [
      ["x-hop", "a"],
      ["connection", "x-hop"],
    ],
    "",
  ],
  [
    "two connection headers count both",
    [
      ["connection", "a"],
      ["connection", "b"],
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ],
    "c: 3",
  ],
  ["keep-alive is taken out", [["Keep-Alive", "timeout=5"]], ""],
  [
    "proxy headers are taken out",
    [
      ["Proxy-Authenticate", "Basic"],
      ["proxy-connection", "close"],
    ],
    "",
  ],
  [
    "te and trailer are taken out",
    [
      ["TE", "trailers"],
      ["Trailer", "x"],
    ],
    "",
  ],
  ["upgrade is taken out", [["Upgrade", "h2c"]], ""],
  ["chunked is taken out", [["Transfer-Encoding", "chunked"]], ""],
  ["chunked has no case", [["transfer-encoding", "Chunked "]], ""],
  ["another coding is a fault", [["transfer-encoding", "gzip"]], "protocol_error"],
  ["two codings are a fault", [["transfer-encoding", "gzip, chunked"]], "protocol_error"],
  [
    "chunked twice is a fault",
    [
      ["transfer-encoding", "chunked"],
      ["transfer-encoding", "chunked"],
    ],
    "protocol_error",
  ],
  ["chunked, identity is a fault", [["transfer-encoding", "chunked, identity"]], "protocol_error"],
  ["xchunked is a fault", [["transfer-encoding", "xchunked"]], "protocol_error"],
  ["an empty coding is a fault", [["transfer-encoding", ""]], "protocol_error"],
  [
    "a coding and a length are a fault",
    [
      ["transfer-encoding", "chunked"],
      ["content-length", "5"],
    ],
    "protocol_error",
  ],
  [
    "a coding cannot hide behind connection",
    [
      ["connection", "transfer-encoding"],
      ["transfer-encoding", "x"],
    ],
    "protocol_error",
  ],
  ["content-length is kept", [["Content-Length", "5"]], "content-length: 5"],
  ["content-encoding is kept, nothing is inflated", [["Content-Encoding", "gzip"]], "content-encoding: gzip"],
  ["a name that is no token is a fault", [["x y", "a"]], "protocol_error"],
  ["an empty name is a fault", [["", "a"]], "protocol_error"],
  ["a name of Kelvin sign is a fault", [["\u212aeep-alive", "a"]], "protocol_error"],
  ["a line end in a value is a fault", [["x", "a\nset-cookie: b"]], "protocol_error"],
  ["NUL in a value is a fault", [["x", "a\0"]], "protocol_error"],
  [
    "names of Object.prototype are names",
    [
      ["__proto__", "a"],
      ["constructor", "b"],
    ],
    "__proto__: a|constructor: b",
  ],
  ["no headers are none", [], ""],
];

describe("screenResponseHeaders", () => {
  for (const [title, raw, expected] of rows) {
    test(title, () => expect(show(raw)).toBe(expected));
  }

  test("takes as many headers as the bound and not one more", () => {
    const raw = Array.from({ length: bounds.responseHeadersMax }, (): HeaderField => ["x", "y"]);
    expect(screenResponseHeaders(raw)).toMatchObject({ ok: true });
    expect(show([...raw, ["x", "y"]])).toBe("response_headers_too_large");
  });

  test("counts headers that would be taken out", () => {
    const raw = Array.from({ length: bounds.responseHeadersMax + 1 }, (): HeaderField => ["keep-alive", "y"]);
    expect(show(raw)).toBe("response_headers_too_large");
  });

  test("takes as many bytes as the bound and not one more", () => {
    const value = "a".repeat(bounds.responseHeaderBytesMax - 1);
    expect(screenResponseHeaders([["x", value]])).toMatchObject({ ok: true });
    expect(show([["xx", value]])).toBe("response_headers_too_large");
  });
});

function show(raw: readonly HeaderField[]): string {
  const result = screenResponseHeaders(raw);
  if (!result.ok) return result.error.reason;
  return result.value.map(([name, value]) => `${name}: ${value}`).join("|");
}
