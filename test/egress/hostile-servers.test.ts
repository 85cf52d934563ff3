// Responses that are no proper HTTP/1.1, each with its reason.
import { afterEach, describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { expectNoStrays, journey } from "../support/journey.ts";
import { startRawServer, startScriptedServer } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf, until } from "../support/wire.ts";

afterEach(expectNoStrays);

const head = "HTTP/1.1 200 OK\r\n";

describe("bytes that are no proper HTTP/1.1 response", () => {
  test.each<[string, string, string]>([
    [
      "101 with the headers of an upgrade",
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      "protocol_error",
    ],
    ["101 without them", "HTTP/1.1 101 Switching Protocols\r\n\r\nhello", "protocol_error"],
    [
      "100 that nobody waits for",
      `HTTP/1.1 100 Continue\r\n\r\n${head}content-length: 2\r\n\r\nok`,
      "protocol_error",
    ],
    ["status 000", "HTTP/1.1 000 Nothing\r\ncontent-length: 0\r\n\r\n", "protocol_error"],
    ["status 099", "HTTP/1.1 099 Less\r\ncontent-length: 0\r\n\r\n", "protocol_error"],
    ["status 99", "HTTP/1.1 99 Less\r\ncontent-length: 0\r\n\r\n", "protocol_error"],
    ["status 600", "HTTP/1.1 600 More\r\ncontent-length: 0\r\n\r\n", "protocol_error"],
    ["status 999", "HTTP/1.1 999 More\r\ncontent-length: 0\r\n\r\n", "protocol_error"],
    ["status -200", "HTTP/1.1 -200 OK\r\ncontent-length: 0\r\n\r\n", "protocol_error"],
    [
      "a length and a transfer coding",
      `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      "protocol_error",
    ],
    [
      "a transfer coding and a length",
      `${head}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      "protocol_error",
    ],
    [
      "two transfer codings",
      `${head}transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      "protocol_error",
    ],
    [
      "chunked and then something",
      `${head}transfer-encoding: chunked, identity\r\n\r\nhello`,
      "protocol_error",
    ],
    [
      "a transfer coding that nobody knows",
      `${head}transfer-encoding: xchunked\r\n\r\nhello`,
      "protocol_error",
    ],
    [
      "two transfer codings on two lines",
      `${head}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      "protocol_error",
    ],
    ["two lengths", `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, "protocol_error"],
    ["the same length twice", `${head}content-length: 5\r\nContent-Length: 5\r\n\r\nhello`, "protocol_error"],
    ["a list of lengths", `${head}content-length: 5, 5\r\n\r\nhello`, "protocol_error"],
    ["a negative length", `${head}content-length: -5\r\n\r\nhello`, "protocol_error"],
    ["a signed length", `${head}content-length: +5\r\n\r\nhello`, "protocol_error"],
    ["a length in hexadecimal", `${head}content-length: 0x5\r\n\r\nhello`, "protocol_error"],
    [
      "a length beyond all numbers",
      `${head}content-length: 99999999999999999999999\r\n\r\nhello`,
      "protocol_error",
    ],
    ["garbage", "\u0000\u0001\u0002 garbage\r\n\r\n", "protocol_error"],
    ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n", "protocol_error"],
    ["HTTP/0.9", "<html>hello</html>", "protocol_error"],
    ["HTTP/2's preface answered", "\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000", "protocol_error"],
    ["bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", "protocol_error"],
    [
      "a bare carriage return in a value",
      `${head}x-a: b\rx-c: d\r\ncontent-length: 0\r\n\r\n`,
      "protocol_error",
    ],
    ["a folded header line", `${head}x-a: b\r\n c\r\ncontent-length: 0\r\n\r\n`, "protocol_error"],
    ["a space before the colon", `${head}content-length : 5\r\n\r\nhello`, "protocol_error"],
    ["a header line without a colon", `${head}nothing\r\n\r\n`, "protocol_error"],
    ["a NUL in a value", `${head}x-a: b\u0000c\r\ncontent-length: 0\r\n\r\n`, "protocol_error"],
    [
      "a chunk size that is none",
      `${head}transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`,
      "200 protocol_error",
    ],
    [
      "a negative chunk size",
      `${head}transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`,
      "200 protocol_error",
    ],
    [
      "a chunk size beyond all numbers",
      `${head}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello`,
      "200 protocol_error",
    ],
    [
      "a chunk longer than its size",
      `${head}transfer-encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`,
      "200 protocol_error",
    ],
    [
      "a chunk that ends in a bare line feed",
      `${head}transfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n`,
      "200 protocol_error",
    ],
  ])("%s", async (_what, bytes, outcome) => {
    await using server = await startScriptedServer(bytes);
    expect(await journey(`http://api.example:${server.port}/`)).toBe(outcome);
    await until(() => server.openSockets === 0);
  });

  test("a hundred random beginnings", async () => {
    let seed = 1;
    const next = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed;
    };
    const pieces = [
      "HTTP/1.1 ",
      "200 ",
      "OK",
      "\r\n",
      "\r",
      "\n",
      ":",
      "content-length",
      " 5",
      "chunked",
      "transfer-encoding",
      "\u0000",
      "\u00ff",
      "hello",
      "0\r\n\r\n",
      "\r\n\r\n",
    ];
    await using server = await startRawServer((socket) => {
      socket.once("data", () => {
        const bytes = Array.from({ length: 12 }, () => pieces[next() % pieces.length]).join("");
        socket.end(Buffer.from(bytes, "latin1"));
      });
    });
    for (let count = 0; count < 100; count += 1) {
      expect(await journey(`http://api.example:${server.port}/`)).toMatch(
        /^(?:protocol_error|connection_closed|connection_reset|200 .*)$/s,
      );
    }
    await until(() => server.openSockets === 0);
  });
});

describe("a server that closes too early", () => {
  const closings: readonly [string, string, string][] = [
    ["before any byte", "", "connection_closed"],
    ["within the status line", "HTTP/1.1 200", "connection_closed"],
    ["within the headers", `${head}x-a: b`, "connection_closed"],
    ["after an interim response", "HTTP/1.1 103 Early Hints\r\n\r\n", "connection_closed"],
    ["right after the headers", `${head}content-length: 5\r\n\r\n`, "200 connection_closed"],
    ["within the body", `${head}content-length: 5\r\n\r\nhell`, "200 connection_closed"],
    [
      "within a body after which it would have closed anyway",
      `${head}connection: close\r\ncontent-length: 5\r\n\r\nhell`,
      "200 connection_closed",
    ],
    ["within a chunk", `${head}transfer-encoding: chunked\r\n\r\n5\r\nhel`, "200 connection_closed"],
    [
      "between two chunks",
      `${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      "200 connection_closed",
    ],
    [
      "within a chunk, having said so",
      `${head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel`,
      "200 connection_closed",
    ],
    [
      "before the end of the trailer",
      `${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-a: b\r\n`,
      "200 connection_closed",
    ],
  ];
  test.each(closings)("%s", async (_what, bytes, outcome) => {
    await using server = await startScriptedServer(bytes, true);
    expect(await journey(`http://api.example:${server.port}/`)).toBe(outcome);
    await until(() => server.openSockets === 0);
  });

  test("only ends a body that has no other end", async () => {
    await using server = await startScriptedServer(`${head}\r\nhello`, true);
    expect(await journey(`http://api.example:${server.port}/`)).toBe("200 hello");
  });

  test.each([
    ["before headers", "", "connection_reset"],
    ["within the body", `${head}content-length: 5\r\n\r\nhell`, "200 connection_reset"],
  ])("with a reset %s", async (_what, bytes, outcome) => {
    await using server = await startRawServer((socket) => {
      socket.once("data", () => {
        socket.write(bytes || "H");
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
    });
    expect(await journey(`http://api.example:${server.port}/`)).toBe(outcome);
  });

  test("is still heard as far as it got", async () => {
    await using server = await startScriptedServer(`${head}content-length: 5\r\n\r\nhell`, true);
    const wire = openWire();
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    const { bytes, reason } = await readAll(response);
    expect([bytes.toString(), reason]).toEqual(["hell", "connection_closed"]);
  });
});

describe("a server that lies about its length", () => {
  test("by naming less than it sends gives what it named, and its connection is gone", async () => {
    await using server = await startScriptedServer(`${head}content-length: 2\r\n\r\nhello`);
    const wire = openWire();
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    expect((await readAll(response)).bytes.toString()).toBe("he");
    await until(() => wire.pool.sockets === 0);
  });

  test("by naming more than it sends is waited for no longer than the bound", async () => {
    const clock = fakeClock();
    await using server = await startScriptedServer(`${head}content-length: 9\r\n\r\nhello`);
    const wire = openWire({ clock });
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    expect(successOf(await response.read(9)).byteLength).toBe(5);
    const waiting = response.read(9);
    clock.advance(bounds.bodyIdleTimeoutMs);
    expect(reasonOf(await waiting)).toBe("body_timeout");
    expect(wire.pool.sockets).toBe(0);
  });

  test.each([
    ["204", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", "GET", "204 "],
    ["304", "HTTP/1.1 304 Not Modified\r\n\r\nhello", "GET", "304 "],
    ["HEAD", `${head}content-length: 5\r\n\r\nhello`, "HEAD", "200 "],
  ])("by sending a body where there is none (%s) is not believed", async (_what, bytes, method, outcome) => {
    await using server = await startScriptedServer(bytes);
    expect(await journey(`http://api.example:${server.port}/`, { method })).toBe(outcome);
    await until(() => server.openSockets === 0);
  });
});
