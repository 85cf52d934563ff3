// Servers that never stop: a clock of ours ends each of them.
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { denialOf } from "../../src/egress/denial.ts";
import { createAuthority } from "../support/certificate-authority.ts";
import { type FakeClock, fakeClock } from "../support/fake-clock.ts";
import { expectNoStrays, journey } from "../support/journey.ts";
import { type Listening, startOrigin, startRawServer, startScriptedServer } from "../support/origin.ts";
import { openWire, readAll, reasonOf, successOf, until } from "../support/wire.ts";

afterEach(expectNoStrays);

const head = "HTTP/1.1 200 OK\r\n";

describe("a server that does not stop", () => {
  let asked = 0;

  function flooding(first: string, again: string): Promise<Listening> {
    asked = 0;
    return startRawServer((socket) => {
      socket.once("data", () => {
        asked += 1;
        socket.write(first);
        const flood = again.repeat(Math.ceil(16_384 / again.length));
        const pump = (): void => {
          if (socket.destroyed) return;
          if (socket.write(flood)) setImmediate(pump);
          else socket.once("drain", () => setImmediate(pump));
        };
        pump();
      });
    });
  }

  // Moves a fake clock once the flood is under way, since only the clock may end it.
  async function afterTime(clock: FakeClock, work: Promise<string>): Promise<string> {
    await until(() => asked === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(bounds.headersTimeoutMs);
    return work;
  }

  test.each([
    ["many headers", `x-a: b\r\n`],
    ["empty headers", `a:\r\n`],
    ["one long value", "x".repeat(1_000)],
    ["one long name", "x-".repeat(500)],
  ])("sending %s", async (what, again) => {
    const first = what === "one long value" ? `${head}x-a: ` : head;
    await using server = await flooding(first, again);
    expect(await journey(`http://api.example:${server.port}/`)).toBe("response_headers_too_large");
  });

  test("sending a trailer", async () => {
    await using server = await flooding(`${head}transfer-encoding: chunked\r\n\r\n0\r\n`, "x-a: b\r\n");
    expect(await journey(`http://api.example:${server.port}/`)).toBe("200 response_headers_too_large");
  });

  test.each([
    ["more header lines than the bound", "a: b\r\n".repeat(bounds.responseHeadersMax + 1)],
    ["more header bytes than the bound", `a: ${"b".repeat(bounds.responseHeaderBytesMax)}\r\n`],
  ])("at %s", async (_what, lines) => {
    await using server = await startScriptedServer(`${head}${lines}\r\n`);
    expect(await journey(`http://api.example:${server.port}/`)).toBe("response_headers_too_large");
  });

  test("but stays within the bounds of headers is heard", async () => {
    const most = "a: b\r\n".repeat(bounds.responseHeadersMax - 2);
    const room =
      bounds.responseHeaderBytesMax - 2 * (bounds.responseHeadersMax - 2) - "content-length0c".length;
    await using server = await startScriptedServer(
      `${head}${most}content-length: 0\r\nc: ${"d".repeat(room)}\r\n\r\n`,
    );
    expect(await journey(`http://api.example:${server.port}/`)).toBe("200 ");
  });

  test.each([102, 103, 199])("sending interim responses %i", async (status) => {
    const clock = fakeClock();
    await using server = await flooding("", `HTTP/1.1 ${status} Wait\r\nx-a: b\r\n\r\n`);
    const work = journey(`http://api.example:${server.port}/`, { clock });
    expect(await afterTime(clock, work)).toBe("headers_timeout");
  });

  test("sending interim responses 100 is cut off at the first", async () => {
    await using server = await flooding("", "HTTP/1.1 100 Continue\r\n\r\n");
    expect(await journey(`http://api.example:${server.port}/`)).toBe("protocol_error");
  });

  test("sending a reason phrase", async () => {
    const clock = fakeClock();
    await using server = await flooding("HTTP/1.1 200 ", "very ");
    const work = journey(`http://api.example:${server.port}/`, { clock });
    expect(await afterTime(clock, work)).toBe("headers_timeout");
  });

  test("sending an extension of a chunk", async () => {
    const clock = fakeClock();
    await using server = await flooding(`${head}transfer-encoding: chunked\r\n\r\n5;`, "ext=1;");
    const wire = openWire({ clock });
    const response = successOf(await wire.send(`http://api.example:${server.port}/`));
    const waiting = response.read(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(bounds.bodyIdleTimeoutMs);
    expect(reasonOf(await waiting)).toBe("body_timeout");
    expect(wire.pool.sockets).toBe(0);
  });

  test("sending a body is ended by its size", async () => {
    await using server = await flooding(`${head}\r\n`, "x".repeat(1_000));
    expect(await journey(`http://api.example:${server.port}/`)).toBe("200 response_body_too_large");
  });

  test("dripping a body is ended by the total deadline, however alive it looks", async () => {
    await using server = await startRawServer((socket) => {
      socket.once("data", () => {
        socket.write(`${head}content-length: 1000000\r\n\r\n`);
        const drip = setInterval(() => socket.write("x"), 5);
        socket.once("close", () => clearInterval(drip));
      });
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(denialOf("request_timeout")), 150);
    const startMs = performance.now();
    const outcome = await journey(`http://api.example:${server.port}/`, { signal: controller.signal });
    expect(outcome).toBe("200 request_timeout");
    expect(performance.now() - startMs).toBeLessThan(3_000);
    await until(() => server.openSockets === 0);
  });

  test("dripping headers is ended by the headers timeout", async () => {
    asked = 0;
    const clock = fakeClock();
    await using server = await startRawServer((socket) => {
      socket.once("data", () => {
        asked = 1;
        socket.write(head);
        const drip = setInterval(() => socket.write("x"), 5);
        socket.once("close", () => clearInterval(drip));
      });
    });
    const work = journey(`http://api.example:${server.port}/`, { clock });
    expect(await afterTime(clock, work)).toBe("headers_timeout");
  });
});

describe("a guest that does not care", () => {
  test("and abandons a thousand unread bodies leaves no socket", async () => {
    const sockets = new Set<Socket>();
    await using server = await startRawServer((socket) => {
      sockets.add(socket);
      socket.once("data", () => socket.write(`${head}content-length: 1000000\r\n\r\n${"x".repeat(1_000)}`));
    });
    const clock = fakeClock();
    const wire = openWire({ clock });
    const url = `http://api.example:${server.port}/`;
    for (let round = 0; round < 20; round += 1) {
      const responses = await Promise.all(Array.from({ length: 50 }, () => wire.send(url)));
      expect(wire.pool.sockets).toBe(50);
      for (const response of responses) successOf(response).discard();
      expect(wire.pool.sockets).toBe(0);
    }
    await until(() => server.openSockets === 0);
    expect(sockets.size).toBe(1_000);
    expect(clock.waiting).toBe(0);
  });

  test("and aborts a request at any moment whatever leaves no socket and always an answer", async () => {
    const authority = createAuthority();
    await using plain = await startOrigin({
      handler(_request, response) {
        response.write("a");
        setTimeout(() => response.end("b"), 1);
      },
    });
    await using secure = await startOrigin({
      tls: authority.issue({ names: ["api.example"] }),
      handler: (_request, response) => response.end("hello"),
    });
    const ca = [authority.caPem];
    const wire = openWire({ ca });
    const outcomes = new Set<string>();
    for (let count = 0; count < 300; count += 1) {
      const origin = count % 3 === 0 ? secure : plain;
      const url = `${count % 3 === 0 ? "https" : "http"}://api.example:${origin.port}/`;
      const controller = new AbortController();
      const delayMs = (count % 30) / 5;
      if (delayMs < 1) queueMicrotask(() => controller.abort(denialOf("guest_terminated")));
      else setTimeout(() => controller.abort(denialOf("guest_terminated")), delayMs);
      const sent = await wire.send(url, { signal: controller.signal });
      outcomes.add(sent.ok ? ((await readAll(sent.value)).reason ?? "read") : sent.error.reason);
    }
    expect([...outcomes].sort()).toEqual(["guest_terminated", "read"]);
    wire.pool.destroy();
    expect(wire.pool.sockets).toBe(0);
    await until(() => plain.openSockets + secure.openSockets === 0);
  });
});
