// What goes on the wire, byte for byte, and what comes back.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { startOrigin, startRawServer, startScriptedServer } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf, until } from "../support/wire.ts";

describe("what is sent", () => {
  test("the head is built from the destination and the screened headers, byte for byte", async () => {
    let head = "";
    await using server = await startRawServer((socket) => {
      socket.on("data", (data) => {
        head += data.toString("latin1");
        socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      });
    });
    const wire = openWire();
    successOf(
      await wire.send(`http://api.example:${server.port}/a/b?c=d&e`, {
        headers: [
          ["accept", "*/*"],
          ["x-repeat", "1"],
          ["x-repeat", "2"],
          ["x-latin", "caf\u00e9"],
        ],
      }),
    );
    expect(head).toBe(
      `GET /a/b?c=d&e HTTP/1.1\r\nhost: api.example:${server.port}\r\nconnection: keep-alive\r\n` +
        "accept: */*\r\nx-repeat: 1\r\nx-repeat: 2\r\nx-latin: caf\u00e9\r\n\r\n",
    );
    wire.pool.destroy();
  });

  test.each(["GET", "get", "gEt", "patch", "PATCH", "QUERY", "M-SEARCH", "PROPFIND"])(
    "the method %s is sent as it was decided",
    async (method) => {
      let line = "";
      await using server = await startRawServer((socket) => {
        socket.on("data", (data) => {
          line = data.toString("latin1").split("\r\n")[0] ?? "";
          socket.write("HTTP/1.1 204 No Content\r\n\r\n");
        });
      });
      const wire = openWire();
      successOf(await wire.send(`http://api.example:${server.port}/`, { method }));
      expect(line).toBe(`${method} / HTTP/1.1`);
      wire.pool.destroy();
    },
  );

  test("an IPv6 literal stands in brackets", async () => {
    await using origin = await startOrigin({ host: "::1" });
    const wire = openWire();
    const response = successOf(await wire.send(`${origin.url}/x`, { addresses: ["::1"] }));
    expect((await readAll(response)).bytes.toString()).toBe("hello");
    expect(origin.seen[0]?.headers).toContainEqual(["host", `[::1]:${origin.port}`]);
    wire.pool.destroy();
  });

  test("the length of a body comes from the body", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const body = Buffer.from("some body");
    const response = successOf(await wire.send(origin.url, { method: "POST", body }));
    expect((await readAll(response)).reason).toBeUndefined();
    const [request] = origin.seen;
    expect(request?.headers).toContainEqual(["content-length", "9"]);
    expect(Buffer.from(request?.body ?? [])).toEqual(body);
    wire.pool.destroy();
  });

  test.each(["GET", "HEAD", "OPTIONS", "DELETE"])(
    "a body with %s goes out on a connection that is not used again",
    async (method) => {
      await using origin = await startOrigin();
      const wire = openWire();
      const body = Buffer.from("GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
      await readAll(successOf(await wire.send(origin.url, { method, body })));
      await readAll(successOf(await wire.send(origin.url)));
      expect(origin.seen.map(({ connection }) => connection)).toEqual([1, 2]);
      expect(origin.seen[0]?.headers).toContainEqual(["connection", "close"]);
      wire.pool.destroy();
    },
  );

  test("a body that the server does not take for long is waited for, and the headers timer starts after it", async () => {
    const clock = fakeClock();
    const body = Buffer.alloc(32 * 1024 * 1024, "x");
    let take = (): void => {};
    let received = 0;
    await using server = await startRawServer((socket) => {
      socket.pause();
      take = () => {
        socket.on("data", (data) => {
          received += data.length;
        });
        socket.resume();
      };
    });
    const wire = openWire({ clock });
    const sent = wire.send(`http://api.example:${server.port}/`, { method: "POST", body });
    await until(() => server.openSockets === 1 && clock.waiting === 0);
    take();
    await until(() => received > body.length);
    await until(() => clock.waiting === 1);
    clock.advance(bounds.headersTimeoutMs);
    expect(reasonOf(await sent)).toBe("headers_timeout");
  });

  test("a request with headers that were never screened is our own fault, and nothing is sent", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const sent = await wire.send(origin.url, { headers: [["x-a", "b\r\nx-evil: c"]] });
    expect(reasonOf(sent)).toBe("internal_error");
    expect(origin.seen).toHaveLength(0);
    expect(wire.pool.sockets).toBe(0);
  });
});

describe("what comes back", () => {
  test("status, headers with their repeats, and the body arrive", async () => {
    await using origin = await startOrigin({
      handler(_request, response) {
        response.writeHead(201, [
          ["X-One", "1"],
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
        ] as never);
        response.end("created");
      },
    });
    const wire = openWire();
    const response = successOf(await wire.send(origin.url));
    expect(response.status).toBe(201);
    expect(response.headers).toContainEqual(["x-one", "1"]);
    expect(response.headers.filter(([name]) => name === "set-cookie")).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    expect((await readAll(response)).bytes.toString()).toBe("created");
    expect(response.bytesIn()).toBe(7);
    wire.pool.destroy();
  });

  test("interim responses are passed over", async () => {
    await using server = await startScriptedServer(
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    );
    const wire = openWire();
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    expect(response.status).toBe(200);
    expect(response.headers).toEqual([["content-length", "2"]]);
    expect((await readAll(response)).bytes.toString()).toBe("ok");
    wire.pool.destroy();
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 1000000\r\n\r\n"],
  ])("%s has no body after %j, whatever length it names", async (method, bytes) => {
    await using server = await startScriptedServer(bytes);
    const wire = openWire();
    const response = successOf(
      await wire.send(`http://api.example:${server.port}/`, { method, responseBodyBytesMax: 10 }),
    );
    expect(await readAll(response)).toEqual({ bytes: Buffer.alloc(0), reason: undefined });
    wire.pool.destroy();
  });

  test("a body is read in pieces that are never larger than asked for, and nothing is lost or turned round", async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    await using origin = await startOrigin({
      handler(_request, response) {
        let sent = 0;
        const step = (): void => {
          for (let count = 0; count < 200 && sent < body.length; count += 1) {
            const length = 1 + ((sent * 7) % 9_000);
            response.write(body.subarray(sent, sent + length));
            sent += length;
          }
          if (sent < body.length) setImmediate(step);
          else response.end();
        };
        step();
      },
    });
    const wire = openWire();
    for (const bytesMax of [1_000, 5_000, 70_000]) {
      const response = successOf(await wire.send(origin.url));
      const parts: Buffer[] = [];
      for (;;) {
        const part = successOf(await response.read(bytesMax));
        if (part.byteLength === 0) break;
        expect(part.byteLength).toBeLessThanOrEqual(bytesMax);
        parts.push(Buffer.from(part));
      }
      expect(Buffer.concat(parts).equals(body)).toBe(true);
    }
    wire.pool.destroy();
  });

  test("reading zero bytes takes nothing and is not the end", async () => {
    await using origin = await startOrigin();
    const wire = openWire();
    const response = successOf(await wire.send(origin.url));
    expect(successOf(await response.read(0)).byteLength).toBe(0);
    expect((await readAll(response)).bytes.toString()).toBe("hello");
    wire.pool.destroy();
  });

  test("a body that nobody reads stops the server after a bounded number of bytes", async () => {
    let written = 0;
    await using server = await startRawServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        const chunk = Buffer.alloc(64 * 1024);
        const pump = (): void => {
          while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
          socket.once("drain", pump);
        };
        pump();
      });
    });
    const wire = openWire();
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    await until(() => response.bytesIn() > 0);
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What undici's parser gave us before it stopped: the bound and one segment.
    expect(response.bytesIn()).toBeLessThanOrEqual(bounds.responseBufferBytes + 64 * 1024);
    // Reading lets it go on.
    const seen = response.bytesIn();
    for (let count = 0; count < 20; count += 1) successOf(await response.read(64 * 1024));
    expect(response.bytesIn()).toBeGreaterThan(seen);
    response.discard();
    await until(() => server.openSockets === 0);
    expect(wire.pool.sockets).toBe(0);
  });

  test.each([
    bounds.responseBufferBytes - 1,
    bounds.responseBufferBytes,
    bounds.responseBufferBytes + 1,
    bounds.responseBufferBytes + 500_000,
  ])(
    "a response of %i bytes that its server closes while nobody reads is read to its end later",
    async (length) => {
      const body = Buffer.alloc(length, "y");
      await using server = await startScriptedServer(
        Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`), body]),
        true,
      );
      const wire = openWire();
      const response = successOf(await wire.send(`http://api.example:${server.port}/`));
      await new Promise((resolve) => setTimeout(resolve, 100));
      const { bytes, reason } = await readAll(response, 10_000);
      expect(reason).toBeUndefined();
      expect(bytes.length).toBe(body.length);
      await until(() => wire.pool.sockets === 0);
    },
  );
});
