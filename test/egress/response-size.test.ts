// Bodies that are larger than the rule takes.
import { describe, expect, test } from "vitest";
import { startOrigin } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf } from "../support/wire.ts";

describe("the size of a response body", () => {
  test("is refused by its announced length before a byte of it is read", async () => {
    await using origin = await startOrigin({
      handler: (_request, response) => response.end(Buffer.alloc(101)),
    });
    const wire = openWire();
    const sent = await wire.send(origin.url, { responseBodyBytesMax: 100 });
    expect(sent).toMatchObject({
      ok: false,
      error: { reason: "response_body_too_large", limit: { name: "responseBody", value: 100 } },
    });
    expect(wire.pool.sockets).toBe(0);
  });

  test("is counted where no length is announced", async () => {
    await using origin = await startOrigin({
      handler(_request, response) {
        response.write(Buffer.alloc(60));
        setTimeout(() => response.end(Buffer.alloc(41)), 20);
      },
    });
    const wire = openWire();
    const response = successOf(await wire.send(origin.url, { responseBodyBytesMax: 100 }));
    const { bytes, reason } = await readAll(response);
    expect(bytes.length).toBe(60);
    expect(reason).toBe("response_body_too_large");
    expect(reasonOf(await response.read(1))).toBe("response_body_too_large");
    expect(wire.pool.sockets).toBe(0);
  });

  test("may be exactly what is allowed", async () => {
    await using origin = await startOrigin({
      handler: (_request, response) => response.end(Buffer.alloc(100)),
    });
    const wire = openWire();
    const response = successOf(await wire.send(origin.url, { responseBodyBytesMax: 100 }));
    expect((await readAll(response)).bytes.length).toBe(100);
    wire.pool.destroy();
  });

  test("of zero lets responses without a body through", async () => {
    await using origin = await startOrigin({ handler: (_request, response) => response.end() });
    const wire = openWire();
    const response = successOf(await wire.send(origin.url, { responseBodyBytesMax: 0 }));
    expect(await readAll(response)).toEqual({ bytes: Buffer.alloc(0), reason: undefined });
    wire.pool.destroy();
  });
});
