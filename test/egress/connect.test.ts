// Dialling: which address is gone to, who answered, and what ends it.
import { createServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type ConnectParts, connectVetted, trustFor } from "../../src/egress/connect.ts";
import { denialOf } from "../../src/egress/denial.ts";
import { destinationOf } from "../support/arbitraries.ts";
import { type CertificateRequest, createAuthority, selfSigned } from "../support/certificate-authority.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { startOrigin, startRawServer } from "../support/origin.ts";
import { ipOf, openWire, readAll, reasonOf, successOf, until } from "../support/wire.ts";

const authority = createAuthority();
const ca = [authority.caPem];

function connect(url: string, addresses: readonly string[], parts: Partial<ConnectParts> = {}) {
  return connectVetted(destinationOf(url), addresses.map(ipOf), {
    clock: systemClock,
    signal: new AbortController().signal,
    ...parts,
  });
}

describe("dialling", () => {
  test("goes to the address and says who answered, and how long it took", async () => {
    await using server = await startRawServer(() => {});
    const dialled = successOf(await connect(`http://api.example:${server.port}/`, ["127.0.0.1"]));
    expect(dialled.peer.text).toBe("127.0.0.1");
    expect(dialled.connectMs).toBeGreaterThanOrEqual(0);
    expect(dialled.tlsMs).toBeUndefined();
    dialled.socket.destroy();
  });

  test("falls back to the next address, in order, when one refuses", async () => {
    await using server = await startRawServer(() => {}, { host: "127.0.0.2" });
    const url = `http://api.example:${server.port}/`;
    const dialled = successOf(await connect(url, ["127.0.0.1", "127.0.0.3", "127.0.0.2"]));
    expect(dialled.peer.text).toBe("127.0.0.2");
    dialled.socket.destroy();
  });

  test("does not try more addresses than the bound", async () => {
    await using server = await startRawServer(() => {}, { host: "127.0.0.9" });
    const addresses = [...Array.from({ length: bounds.dialsMax }, (_, i) => `127.0.0.${i + 2}`), "127.0.0.9"];
    const dialled = await connect(`http://api.example:${server.port}/`, addresses);
    expect(reasonOf(dialled)).toBe("connection_refused");
    expect(server.connections).toBe(0);
  });

  test("reports the failure that tells most: a missing route says nothing about the server", async () => {
    const dialled = await connect("http://api.example:1/", ["2001:db8::1", "127.0.0.1"]);
    expect(reasonOf(dialled)).toBe("connection_refused");
  });

  test("of no address at all is a failure like any other", async () => {
    expect(reasonOf(await connect("http://api.example:1/", []))).toBe("dns_no_address");
  });

  test("that ends at another address than the vetted one is refused before a byte is sent", async () => {
    let received = 0;
    await using server = await startRawServer((socket) => {
      socket.on("data", (data) => {
        received += data.length;
      });
    });
    // Linux connects the unspecified address to the loopback address.
    const dialled = await connect(`http://api.example:${server.port}/`, ["0.0.0.0"]);
    expect(dialled).toMatchObject({
      ok: false,
      error: { reason: "address_forbidden", address: "127.0.0.1", range: "loopback" },
    });
    await until(() => server.openSockets === 0);
    expect(received).toBe(0);
  });

  test("is given up in time", async () => {
    const clock = fakeClock();
    // 192.0.2.0/24 has no hosts (RFC 5737); where the machine has no route the dial fails at once instead.
    const dialled = connect("http://api.example:81/", ["192.0.2.1"], { clock });
    clock.advance(bounds.connectTimeoutMs);
    expect(["connect_timeout", "network_unreachable"]).toContain(reasonOf(await dialled));
    expect(clock.waiting).toBe(0);
  });

  test("is given up at once by an abort, with the abort's reason", async () => {
    const controller = new AbortController();
    const dialled = connect("http://api.example:81/", ["192.0.2.1"], { signal: controller.signal });
    const denial = denialOf("request_timeout");
    controller.abort(denial);
    expect(await dialled).toEqual({ ok: false, error: denial });
    expect(await connect("http://api.example:81/", ["127.0.0.1"], { signal: controller.signal })).toEqual({
      ok: false,
      error: denial,
    });
  });
});

describe("TLS", () => {
  const rows: readonly [string, string, CertificateRequest, string | undefined][] = [
    ["the right name", "api.example", { names: ["api.example"] }, undefined],
    ["one of several names", "api.example", { names: ["other.example", "api.example"] }, undefined],
    ["a wildcard for the name", "api.example.org", { names: ["*.example.org"] }, undefined],
    [
      "a wildcard for another depth",
      "a.api.example.org",
      { names: ["*.example.org"] },
      "tls_hostname_mismatch",
    ],
    ["another name", "api.example", { names: ["evil.example"] }, "tls_hostname_mismatch"],
    ["no name but an address", "api.example", { addresses: ["127.0.0.1"] }, "tls_hostname_mismatch"],
    ["the address of a literal", "127.0.0.1", { addresses: ["127.0.0.1"] }, undefined],
    ["another address than the literal", "127.0.0.1", { addresses: ["127.0.0.2"] }, "tls_hostname_mismatch"],
    ["a literal as if it were a name", "127.0.0.1", { names: ["127.0.0.1"] }, "tls_hostname_mismatch"],
    [
      "an end that is past",
      "api.example",
      { names: ["api.example"], notAfter: new Date("2021-01-01T00:00:00Z") },
      "tls_certificate_invalid",
    ],
    [
      "a start that is to come",
      "api.example",
      { names: ["api.example"], notBefore: new Date("2048-01-01T00:00:00Z") },
      "tls_certificate_invalid",
    ],
  ];

  test.each(rows)("a certificate with %s, for %s", async (_what, host, request, reason) => {
    await using server = await startRawServer(() => {}, { tls: authority.issue(request) });
    const dialled = await connect(`https://${host}:${server.port}/`, ["127.0.0.1"], { ca });
    expect(reasonOf(dialled)).toBe(reason);
    if (dialled.ok) {
      expect(dialled.value.tlsVersion).toBe("TLSv1.3");
      expect(dialled.value.tlsMs).toBeGreaterThanOrEqual(0);
      dialled.value.socket.destroy();
    }
    await until(() => server.openSockets === 0);
  });

  test.each([
    ["an authority that is not trusted", createAuthority("Somebody else").issue({ names: ["api.example"] })],
    ["nobody but itself", selfSigned({ names: ["api.example"] })],
  ])("a certificate vouched for by %s is refused", async (_what, tls) => {
    await using server = await startRawServer(() => {}, { tls });
    const url = `https://api.example:${server.port}/`;
    expect(reasonOf(await connect(url, ["127.0.0.1"], { ca }))).toBe("tls_certificate_invalid");
    expect(reasonOf(await connect(url, ["127.0.0.1"]))).toBe("tls_certificate_invalid");
    await until(() => server.openSockets === 0);
  });

  test("a failed handshake is not tried again at the next address", async () => {
    await using server = await startRawServer(() => {}, {
      tls: authority.issue({ names: ["evil.example"] }),
    });
    const dialled = await connect(`https://api.example:${server.port}/`, ["127.0.0.1", "127.0.0.1"], { ca });
    expect(reasonOf(dialled)).toBe("tls_hostname_mismatch");
    expect(server.connections).toBe(1);
  });

  test.each([
    ["plain HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["garbage", "\u0000\u0001\u0002\u0003 garbage garbage garbage"],
    ["the end", ""],
  ])("a server that answers the handshake with %s fails it", async (_what, answer) => {
    await using server = await startRawServer((socket) => socket.once("data", () => socket.end(answer)));
    const dialled = await connect(`https://api.example:${server.port}/`, ["127.0.0.1"], { ca });
    expect(reasonOf(dialled)).toBe("tls_handshake_failed");
    await until(() => server.openSockets === 0);
  });

  test("a server that never answers the handshake is given up in time", async () => {
    const clock = fakeClock();
    let asked = 0;
    await using server = await startRawServer((socket) => {
      socket.on("data", () => {
        asked += 1;
      });
    });
    const dialled = connect(`https://api.example:${server.port}/`, ["127.0.0.1"], { ca, clock });
    await until(() => asked > 0);
    clock.advance(bounds.tlsTimeoutMs);
    expect(reasonOf(await dialled)).toBe("tls_timeout");
    expect(clock.waiting).toBe(0);
    await until(() => server.openSockets === 0);
  });

  test("a handshake is given up at once by an abort", async () => {
    await using server = await startRawServer(() => {});
    const controller = new AbortController();
    const { signal } = controller;
    const dialled = connect(`https://api.example:${server.port}/`, ["127.0.0.1"], { ca, signal });
    await until(() => server.openSockets === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const denial = denialOf("shutting_down");
    controller.abort(denial);
    expect(await dialled).toEqual({ ok: false, error: denial });
    await until(() => server.openSockets === 0);
  });

  test("the server is told the destination's name, whatever the headers say, and no name for an address", async () => {
    const names: unknown[] = [];
    const tls = authority.issue({ names: ["api.example"], addresses: ["127.0.0.1"] });
    await using server = await startRawServer(
      (socket) => {
        names.push(Reflect.get(socket, "servername"));
        socket.end("HTTP/1.1 204 No Content\r\n\r\n");
      },
      { tls },
    );
    const wire = openWire({ ca });
    for (const host of ["api.example", "127.0.0.1"]) {
      await wire.send(`https://${host}:${server.port}/`, { headers: [["x-host", "evil.example"]] });
    }
    expect(names).toEqual(["api.example", false]);
    wire.pool.destroy();
  });

  test("carries requests, and NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn it off", async () => {
    await using origin = await startOrigin({ tls: authority.issue({ names: ["api.example"] }) });
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const wire = openWire({ ca });
      const url = `https://api.example:${origin.port}/x`;
      const response = successOf(await wire.send(url));
      expect((await readAll(response)).bytes.toString()).toBe("hello");
      expect((await readAll(successOf(await wire.send(url)))).bytes.toString()).toBe("hello");
      expect(origin.seen.map(({ connection }) => connection)).toEqual([1, 1]);
      expect(reasonOf(await wire.send(`https://evil.example:${origin.port}/`))).toBe("tls_hostname_mismatch");
      expect(reasonOf(await openWire().send(url))).toBe("tls_certificate_invalid");
      wire.pool.destroy();
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  test("proves an IPv6 literal by its address, too", async () => {
    const tls = authority.issue({ addresses: ["::1", "2001:db8::1"] });
    await using server = await startRawServer(() => {}, { tls, host: "::1" });
    const dialled = await connect(`https://[::1]:${server.port}/`, ["::1"], { ca });
    expect(reasonOf(dialled)).toBeUndefined();
    if (dialled.ok) dialled.value.socket.destroy();
    const other = authority.issue({ addresses: ["2001:db8::1"] });
    await using stranger = await startRawServer(() => {}, { tls: other, host: "::1" });
    const refused = await connect(`https://[::1]:${stranger.port}/`, ["::1"], { ca });
    expect(reasonOf(refused)).toBe("tls_hostname_mismatch");
  });

  test("trusts each of several authorities in one text, and does not swallow one that it cannot read", async () => {
    const bundle = `# two of them\n${createAuthority("Another one").caPem}\n${authority.caPem}`;
    await using server = await startRawServer(() => {}, { tls: authority.issue({ names: ["api.example"] }) });
    const url = `https://api.example:${server.port}/`;
    const dialled = await connect(url, ["127.0.0.1"], { ca: [bundle] });
    expect(reasonOf(dialled)).toBeUndefined();
    if (dialled.ok) dialled.value.socket.destroy();
    const broken = authority.caPem.replace("MII", "AII");
    for (const pem of ["", "garbage", broken, authority.caPem + broken]) {
      expect(() => trustFor([pem])).toThrow("not a certificate");
      expect(reasonOf(await connect(url, ["127.0.0.1"], { ca: [pem] }))).toBe("internal_error");
    }
    await until(() => server.openSockets === 0);
  });

  test("older than 1.2 is refused", async () => {
    const old = createServer({
      ...authority.issue({ names: ["api.example"] }),
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    old.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
    const { port } = old.address() as { port: number };
    const dialled = await connect(`https://api.example:${port}/`, ["127.0.0.1"], { ca });
    expect(reasonOf(dialled)).toBe("tls_handshake_failed");
    await new Promise((resolve) => old.close(resolve));
  });
});
