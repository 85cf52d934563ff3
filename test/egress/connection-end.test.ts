// How a connection ends: timeouts, aborts, failures; nothing is left behind.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { denialOf } from "../../src/egress/denial.ts";
import { destinationOf } from "../support/arbitraries.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { startOrigin, startRawServer, startScriptedServer } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf, until } from "../support/wire.ts";

describe("timeouts", () => {
  test("headers that do not come end the request, and 1xx responses do not put it off", async () => {
    const clock = fakeClock();
    let asked = 0;
    await using server = await startRawServer((socket) => {
      socket.on("data", () => {
        asked += 1;
        socket.write("HTTP/1.1 102 Processing\r\n\r\n");
      });
    });
    const wire = openWire({ clock });
    const sent = wire.send(`http://api.example:${server.port}/`);
    await until(() => asked === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(bounds.headersTimeoutMs - 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(wire.pool.sockets).toBe(1);
    clock.advance(1);
    expect(reasonOf(await sent)).toBe("headers_timeout");
    expect(wire.pool.sockets).toBe(0);
    expect(clock.waiting).toBe(0);
    await until(() => server.openSockets === 0);
  });

  test("a body that stalls ends only while a reader waits", async () => {
    const clock = fakeClock();
    await using server = await startScriptedServer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    const wire = openWire({ clock });
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    clock.advance(10 * bounds.bodyIdleTimeoutMs);
    expect(Buffer.from(successOf(await response.read(9))).toString()).toBe("abc");
    const waiting = response.read(9);
    clock.advance(bounds.bodyIdleTimeoutMs);
    expect(reasonOf(await waiting)).toBe("body_timeout");
    expect(reasonOf(await response.read(9))).toBe("body_timeout");
    expect(wire.pool.sockets).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  test("no timer and no listener is left after a response was read", async () => {
    const clock = fakeClock();
    await using origin = await startOrigin();
    const wire = openWire({ clock });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const response = successOf(await wire.send(origin.url, { signal }));
    await readAll(response);
    expect(listeners).toBe(0);
    await until(() => clock.waiting === 1);
    wire.pool.destroy();
    expect(clock.waiting).toBe(0);
  });
});

describe("an abort", () => {
  const denial = denialOf("request_timeout", "after 5 ms");

  test("before the request is sent closes the connection and says its reason", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const connection = successOf(await wire.connection(origin.url));
    const controller = new AbortController();
    controller.abort(denial);
    const destination = destinationOf(origin.url);
    const sent = await connection.send(
      { method: "GET", destination, headers: [] },
      { signal: controller.signal, responseBodyBytesMax: 1, clock: fakeClock() },
    );
    expect(sent).toEqual({ ok: false, error: denial });
    expect(wire.pool.sockets).toBe(0);
  });

  test("in the very turn of the request settles at once", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const connection = successOf(await wire.connection(origin.url));
    const controller = new AbortController();
    const sent = connection.send(
      { method: "GET", destination: destinationOf(origin.url), headers: [] },
      { signal: controller.signal, responseBodyBytesMax: 1, clock: fakeClock() },
    );
    controller.abort(denial);
    expect(await sent).toEqual({ ok: false, error: denial });
    expect(wire.pool.sockets).toBe(0);
    await until(() => origin.openSockets === 0);
    expect(origin.seen).toHaveLength(0);
  });

  test("while headers are awaited settles at once and destroys the socket", async () => {
    await using server = await startRawServer(() => {});
    const wire = openWire();
    const controller = new AbortController();
    const sent = wire.send(`http://api.example:${server.port}/`, { signal: controller.signal });
    await until(() => server.openSockets === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(denial);
    expect(wire.pool.sockets).toBe(0);
    expect(await sent).toEqual({ ok: false, error: denial });
    await until(() => server.openSockets === 0);
  });

  test("within the body ends the waiting read and drops what was buffered", async () => {
    await using server = await startScriptedServer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    const wire = openWire();
    const controller = new AbortController();
    const { signal } = controller;
    const response = successOf(await wire.send(`http://api.example:${server.port}/`, { signal }));
    await until(() => response.bytesIn() === 3);
    controller.abort(denial);
    expect(await response.read(9)).toEqual({ ok: false, error: denial });
    await until(() => server.openSockets === 0);

    const again = new AbortController();
    const next = successOf(await wire.send(`http://api.example:${server.port}/`, { signal: again.signal }));
    successOf(await next.read(9));
    const waiting = next.read(9);
    again.abort(denial);
    expect(await waiting).toEqual({ ok: false, error: denial });
    expect(wire.pool.sockets).toBe(0);
  });

  test("after the last byte came but before it was read drops the rest and leaves the next request alone", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const controller = new AbortController();
    const response = successOf(await wire.send(origin.url, { signal: controller.signal }));
    await until(() => response.bytesIn() === 5);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const next = wire.send(origin.url);
    controller.abort(denial);
    expect(await response.read(5)).toEqual({ ok: false, error: denial });
    expect((await readAll(successOf(await next))).bytes.toString()).toBe("hello");
    wire.pool.destroy();
  });

  test("with a reason that is no denial means that the guest does not want it any more", async () => {
    await using server = await startRawServer(() => {});
    const wire = openWire();
    const controller = new AbortController();
    const sent = wire.send(`http://api.example:${server.port}/`, { signal: controller.signal });
    await until(() => server.openSockets === 1);
    controller.abort();
    expect(reasonOf(await sent)).toBe("guest_cancelled");
  });
});
