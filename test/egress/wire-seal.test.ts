// What is sent is what was decided, whatever instrumentation the process has.
import { execFileSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, test } from "vitest";
import { startOrigin } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf } from "../support/wire.ts";

describe("instrumentation in the embedder's process", () => {
  test("cannot add a header to a request, nor change it", async () => {
    const tamper = (message: unknown): void => {
      const { request } = message as { request: { addHeader(name: string, value: string): void } };
      request.addHeader("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
      request.addHeader("baggage", "user=1");
    };
    await using origin = await startOrigin();
    const wire = openWire();
    subscribe("undici:request:create", tamper);
    try {
      for (let count = 0; count < 2; count += 1) {
        const response = successOf(await wire.send(`${origin.url}/x?y`, { headers: [["x-mine", "1"]] }));
        await readAll(response);
      }
    } finally {
      unsubscribe("undici:request:create", tamper);
    }
    for (const { headers, path } of origin.seen) {
      expect(path).toBe("/x?y");
      expect(headers).toEqual([
        ["host", origin.authority],
        ["connection", "keep-alive"],
        ["x-mine", "1"],
      ]);
    }
    expect(origin.seen).toHaveLength(2);
    wire.pool.destroy();
  });

  test("that changes the path makes the request fail unsent", async () => {
    const tamper = (message: unknown): void => {
      (message as { request: { path: string } }).request.path = "/other";
    };
    await using origin = await startOrigin();
    const wire = openWire();
    subscribe("undici:request:create", tamper);
    try {
      expect(reasonOf(await wire.send(origin.url))).toBe("internal_error");
    } finally {
      unsubscribe("undici:request:create", tamper);
    }
    expect(origin.seen).toHaveLength(0);
    expect(wire.pool.sockets).toBe(0);
  });

  test("finds the global fetch as it was: no dispatcher of ours is put behind it", () => {
    // In a process of its own, since the test runner uses fetch itself.
    const program = `
      await import(${JSON.stringify(new URL("../../src/egress/connection-pool.ts", import.meta.url).href)});
      const names = Object.getOwnPropertySymbols(globalThis).map(String);
      console.log(names.filter((name) => name.includes("undici")).length);
    `;
    const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", program]);
    expect(printed.toString().trim()).toBe("0");
  });
});
