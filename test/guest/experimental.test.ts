// wasi_experimental_http as a guest meets it: what it passes in arrives unchanged, and what comes back is all there.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { Reason } from "../../src/core/reason.ts";
import { ok } from "../../src/core/result.ts";
import type { Gate, HeaderField } from "../../src/egress/message.ts";
import { type GuestPool, openGuestPool } from "../../src/guest/pool.ts";
import type { PreparedModule } from "../../src/guest/prepare-module.ts";
import { prepared, runOn } from "../support/guest-run.ts";
import type { HostileRoute } from "../support/hostile-programs.ts";
import { openScriptedGate } from "../support/scripted-gate.ts";

let pool: GuestPool;
let client: PreparedModule;

/** Lengths are read from 0, 4, 8 and 12; texts from 4096, 8192, 12288 and 65536; then the response is printed. */
const clientText = `(module
  (import "wasi_experimental_http" "req"
    (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "headers_get_all" (func $headers (param i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "body_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 64)

  ;; Fills "length" bytes at "pointer" from standard input.
  (func $fill (param $pointer i32) (param $length i32)
    (loop $next
      (if (i32.eqz (local.get $length)) (then (return)))
      (i32.store (i32.const 20) (local.get $pointer))
      (i32.store (i32.const 24) (local.get $length))
      (drop (call $fd_read (i32.const 0) (i32.const 20) (i32.const 1) (i32.const 28)))
      (local.set $pointer (i32.add (local.get $pointer) (i32.load (i32.const 28))))
      (local.set $length (i32.sub (local.get $length) (i32.load (i32.const 28))))
      (br $next)))
  (func $print (param $pointer i32) (param $length i32)
    (i32.store (i32.const 20) (local.get $pointer))
    (i32.store (i32.const 24) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 20) (i32.const 1) (i32.const 28))))

  ;; The code in the lower half; the status, once there is one, in the upper.
  (func (export "ask") (result i32) (local $code i32)
    (call $fill (i32.const 0) (i32.const 16))
    (call $fill (i32.const 4096) (i32.load (i32.const 0)))
    (call $fill (i32.const 8192) (i32.load (i32.const 4)))
    (call $fill (i32.const 12288) (i32.load (i32.const 8)))
    (call $fill (i32.const 65536) (i32.load (i32.const 12)))
    (local.set $code
      (call $req
        (i32.const 4096) (i32.load (i32.const 0)) (i32.const 8192) (i32.load (i32.const 4))
        (i32.const 12288) (i32.load (i32.const 8)) (i32.const 65536) (i32.load (i32.const 12))
        (i32.const 32) (i32.const 36)))
    (if (local.get $code) (then (return (local.get $code))))
    (drop (call $headers (i32.load (i32.const 36)) (i32.const 65536) (i32.const 65536) (i32.const 40)))
    (call $print (i32.const 65536) (i32.load (i32.const 40)))
    (call $print (i32.const 44) (i32.const 1))
    (loop $next
      (local.set $code
        (call $read (i32.load (i32.const 36)) (i32.const 131072) (i32.const 1048576) (i32.const 40)))
      (if (local.get $code) (then (return (local.get $code))))
      (call $print (i32.const 131072) (i32.load (i32.const 40)))
      (br_if $next (i32.load (i32.const 40))))
    (i32.shl (i32.load16_u (i32.const 32)) (i32.const 16))))`;

beforeAll(async () => {
  pool = openGuestPool({ warm: 1, clock: systemClock });
  client = await prepared(clientText);
});
afterAll(() => pool.close());

interface Asked {
  readonly url?: string;
  readonly method?: string;
  readonly headers?: string;
  readonly body?: Uint8Array;
}

async function ask(gate: Gate, asked: Asked = {}) {
  const {
    url = "http://allowed.example/hello",
    method = "GET",
    headers = "",
    body = Uint8Array.of(),
  } = asked;
  const parts = [Buffer.from(url), Buffer.from(method), Buffer.from(headers), Buffer.from(body)];
  const lengths = Buffer.from(Uint32Array.from(parts, ({ length }) => length).buffer);
  const chunks: Uint8Array[] = [];
  const { end } = await runOn(pool, {
    module: client,
    gate,
    invoke: "ask",
    stdin: new Blob([lengths, ...parts]).stream(),
    stdout: (chunk) => {
      chunks.push(chunk.slice());
    },
  });
  if (end.kind !== "exited") throw new Error(JSON.stringify(end));
  const result = Number(end.results[0]);
  const [lines = "", ...rest] = Buffer.concat(chunks).toString("latin1").split("\0");
  return { code: result & 0xffff, status: result >>> 16, headers: lines, body: rest.join("\0") };
}

function route(parts: Partial<HostileRoute>): Record<string, HostileRoute> {
  return { "/hello": { status: 200, headers: [], body: "", end: "end", ...parts } };
}

describe("requests", () => {
  test("method, URL, headers and body cross as they are", async () => {
    const gate = openScriptedGate();
    const body = Uint8Array.from({ length: 5_000 }, (_, index) => index % 256);
    const url = "http://ALLOWED.example:80/hello?q=%zz&é";
    const headers = "X-One: a:b \nx-one:\nÜ:1";
    const found: unknown[] = [];
    const recording: Gate = {
      request(request, options) {
        found.push(request);
        return gate.request({ ...request, headers: [] }, options);
      },
    };
    expect(await ask(recording, { url, method: "pUt", headers, body })).toMatchObject({ code: 0 });
    expect(found).toEqual([
      {
        url,
        method: "pUt",
        headers: [
          ["X-One", " a:b "],
          ["x-one", ""],
          ["Ü", "1"],
        ],
        body,
      },
    ]);
  });

  test("a byte order mark is not taken away", async () => {
    const gate = openScriptedGate();
    expect(await ask(gate, { url: "\ufeffhttp://allowed.example/hello" })).toMatchObject({ code: 10 });
  });

  test("an empty body is none", async () => {
    const gate = openScriptedGate();
    await ask(gate);
    expect(gate.passed[0]?.body).toBeUndefined();
  });

  test("a body of three mebibytes arrives whole", async () => {
    const gate = openScriptedGate();
    const body = new Uint8Array(3 * 1_048_576).fill(7);
    expect(await ask(gate, { method: "POST", body })).toMatchObject({ code: 0 });
    const arrived = gate.passed[0]?.body;
    expect(arrived instanceof Uint8Array && Buffer.compare(arrived, body) === 0).toBe(true);
  });

  const codes: readonly (readonly [Reason, number])[] = [
    ["host_not_allowed", 7],
    ["address_forbidden", 7],
    ["invalid_method", 8],
    ["header_not_allowed", 9],
    ["invalid_url", 10],
    ["dns_not_found", 11],
    ["audit_unavailable", 12],
    ["concurrency_exceeded", 13],
  ];
  test.each(codes)(
    "a gate that refuses with %s gives the guest %d, and nothing else",
    async (refuse, code) => {
      expect(await ask(openScriptedGate({ refuse }))).toEqual({ code, status: 0, headers: "", body: "" });
    },
  );
});

describe("responses", () => {
  test.each([200, 204, 301, 404, 599])("the status %d arrives", async (status) => {
    expect(await ask(openScriptedGate({ routes: route({ status }) }))).toMatchObject({ code: 0, status });
  });

  test("headers arrive as lines, repeats kept, octets as they were", async () => {
    const headers: readonly HeaderField[] = [
      ["set-cookie", "a=1"],
      ["location", "http://x:1/"],
      ["set-cookie", "b=2"],
      ["x-octets", "\u00e9\u00ff"],
      ["x-empty", ""],
    ];
    const found = await ask(openScriptedGate({ routes: route({ headers }) }));
    expect(found.headers).toBe(
      "set-cookie:a=1\nlocation:http://x:1/\nset-cookie:b=2\nx-octets:\u00e9\u00ff\nx-empty:\n",
    );
  });

  test("a body of mebibytes arrives whole", async () => {
    const body = "0123456789abcdef".repeat(3 * 65_536);
    expect((await ask(openScriptedGate({ routes: route({ body }) }))).body).toBe(body);
  });

  test("bytes that are part of a larger buffer arrive alone, and the buffer stays the host's", async () => {
    const large = new Uint8Array(65_536).fill(1);
    const part = large.subarray(10_000, 20_000).fill(2);
    const chunks = [part, new Uint8Array(0)];
    const gate: Gate = {
      request: async () => ({
        kind: "response",
        response: {
          status: 200,
          headers: [],
          url: "",
          read: async () => ok(chunks.shift() ?? new Uint8Array(0)),
          close() {},
        },
      }),
    };
    expect((await ask(gate)).body).toBe("\u0002".repeat(10_000));
    expect(large.length).toBe(65_536);
  });

  test("a body that breaks gives what came and then 11", async () => {
    const found = await ask(openScriptedGate({ routes: route({ body: "some", end: "reset" }) }));
    expect(found).toMatchObject({ code: 11, body: "some" });
  });

  test("a read never asks for more than the bound, nor for a few bytes only", async () => {
    const asked: number[] = [];
    const gate: Gate = {
      async request() {
        const read = async (bytesMax: number) => {
          asked.push(bytesMax);
          return ok(new Uint8Array(0));
        };
        return { kind: "response", response: { status: 200, headers: [], url: "", read, close() {} } };
      },
    };
    await ask(gate);
    expect(asked).toEqual([262_144]);
  });
});
