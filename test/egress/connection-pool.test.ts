// When a connection is used again, and when it never is.
import { describe, expect, test } from "vitest";
import { startOrigin, startRawServer } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf, until, type Wire } from "../support/wire.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

async function get(wire: Wire, url: string): Promise<string> {
  const { bytes, reason } = await readAll(successOf(await wire.send(url)));
  return reason ?? bytes.toString();
}

// A response gives its connection back a moment after its last byte.
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("a connection is used again", () => {
  test("under the same key, when its response was complete", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    for (let count = 0; count < 5; count += 1) expect(await get(wire, origin.url)).toBe("hello");
    expect(origin.connections).toBe(1);
    expect(wire.pool.sockets).toBe(1);
    wire.pool.destroy();
    await until(() => origin.openSockets === 0);
  });

  test("never under another key", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    for (const host of ["a.example", "b.example"]) {
      expect(await get(wire, `http://${host}:${origin.port}/`)).toBe("hello");
    }
    expect(origin.connections).toBe(2);
    expect(wire.pool.take("http://c.example")).toBeUndefined();
    wire.pool.destroy();
  });

  test("not while its response is still coming", async () => {
    await using server = await startRawServer((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"));
    });
    const url = `http://api.example:${server.port}/`;
    const wire = openWire();
    const responses = [successOf(await wire.send(url)), successOf(await wire.send(url))];
    expect(server.connections).toBe(2);
    for (const response of responses) response.discard();
    expect(wire.pool.sockets).toBe(0);
    await until(() => server.openSockets === 0);
  });

  test("even if nobody read the body, when all of it had come", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const response = successOf(await wire.send(origin.url));
    await until(() => response.bytesIn() === 5);
    await turn();
    response.discard();
    expect(reasonOf(await response.read(1))).toBe("guest_cancelled");
    expect(await get(wire, origin.url)).toBe("hello");
    expect(origin.connections).toBe(1);
    wire.pool.destroy();
  });

  test.each([
    ["says close", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
    ["says close in other words", "HTTP/1.1 200 OK\r\nConnection: foo, CLOSE\r\ncontent-length: 2\r\n\r\nok"],
    ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
    [
      "keeps it for one second only",
      "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok",
    ],
    [
      "keeps it for no time",
      "HTTP/1.1 200 OK\r\nkeep-alive: max=9, timeout=0\r\ncontent-length: 2\r\n\r\nok",
    ],
    ["sends more than it announced", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more"],
    ["sends a second response", ok + ok],
  ])("not when the server %s", async (_what, bytes) => {
    await using server = await startRawServer((socket) => socket.on("data", () => socket.write(bytes)));
    const url = `http://api.example:${server.port}/`;
    const wire = openWire();
    expect(await get(wire, url)).toBe("ok");
    await turn();
    expect(wire.pool.sockets).toBe(0);
    expect(await get(wire, url)).toBe("ok");
    expect(server.connections).toBe(2);
    wire.pool.destroy();
  });

  test("not when the server answered before it had taken the whole request", async () => {
    await using server = await startRawServer((socket) => {
      socket.once("readable", () => {
        socket.read(1);
        socket.write(ok);
      });
      socket.pause();
    });
    const url = `http://api.example:${server.port}/`;
    const wire = openWire();
    const body = Buffer.alloc(32 * 1024 * 1024);
    const response = successOf(await wire.send(url, { method: "POST", body }));
    expect((await readAll(response)).bytes.toString()).toBe("ok");
    await turn();
    expect(wire.pool.sockets).toBe(0);
  });
});

describe("a pool", () => {
  test("that retires closes idle connections at once and busy ones when they are done", async () => {
    let finish = (): void => {};
    await using origin = await startOrigin({
      handler({ path }, response) {
        if (path !== "/slow") return void response.end("hello");
        response.write("a");
        finish = () => response.end("b");
      },
    });
    const wire = openWire();
    await get(wire, `http://a.example:${origin.port}/`);
    await turn();
    const slow = successOf(await wire.send(`http://b.example:${origin.port}/slow`));
    expect(wire.pool.sockets).toBe(2);
    wire.pool.retire();
    expect(wire.pool.sockets).toBe(1);
    finish();
    expect((await readAll(slow)).bytes.toString()).toBe("ab");
    await until(() => wire.pool.sockets === 0);
    // A request that was decided before may still be sent; its connection does not stay.
    expect(await get(wire, `http://c.example:${origin.port}/`)).toBe("hello");
    await until(() => wire.pool.sockets === 0);
  });

  test("that is destroyed ends dials, requests and bodies at once and opens nothing more", async () => {
    await using server = await startRawServer((socket) => {
      socket.once("data", (data) => {
        if (data.includes("/body")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
      });
    });
    const url = (path: string): string => `http://${path}.example:${server.port}/${path}`;
    const wire = openWire();
    const response = successOf(await wire.send(url("body")));
    successOf(await response.read(9));
    const body = response.read(9);
    const headers = wire.send(url("headers"));
    await until(() => server.openSockets === 2);
    const handshake = wire.send(`https://tls.example:${server.port}/`);
    await until(() => server.openSockets === 3);
    expect(wire.pool.sockets).toBe(3);
    wire.pool.destroy();
    expect(reasonOf(await body)).toBe("shutting_down");
    expect(reasonOf(await headers)).toBe("shutting_down");
    expect(reasonOf(await handshake)).toBe("shutting_down");
    expect(wire.pool.sockets).toBe(0);
    expect(reasonOf(await wire.send(url("late")))).toBe("shutting_down");
    await until(() => server.openSockets === 0);
    expect(server.connections).toBe(3);
  });

  test("does not send a request twice when its connection closes under it", async () => {
    let requests = 0;
    await using server = await startRawServer((socket) => {
      socket.on("data", () => {
        requests += 1;
        if (requests === 1) socket.write(ok);
        else socket.destroy();
      });
    });
    const url = `http://api.example:${server.port}/`;
    const wire = openWire();
    expect(await get(wire, url)).toBe("ok");
    const sent = await wire.send(url);
    expect(["connection_closed", "connection_reset"]).toContain(reasonOf(sent));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(requests).toBe(2);
    expect(server.connections).toBe(1);
    expect(wire.pool.sockets).toBe(0);
  });
});
