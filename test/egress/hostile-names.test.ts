// Name servers and certificates that lie.
import { afterEach, describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import type { Resolver } from "../../src/egress/resolve.ts";
import { makeAddressPolicy, nothingGranted } from "../../src/policy/addresses.ts";
import { createAuthority, selfSigned } from "../support/certificate-authority.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { expectNoStrays, journey } from "../support/journey.ts";
import { startOrigin, startRawServer } from "../support/origin.ts";
import { until } from "../support/wire.ts";

afterEach(expectNoStrays);

describe("TLS", () => {
  const authority = createAuthority();
  const ca = [authority.caPem];
  const past = new Date("2021-06-01T00:00:00Z");

  test.each([
    ["the right certificate", authority.issue({ names: ["api.example"] }), "200 hello"],
    ["another name", authority.issue({ names: ["evil.example"] }), "tls_hostname_mismatch"],
    [
      "an expired one",
      authority.issue({ names: ["api.example"], notAfter: past }),
      "tls_certificate_invalid",
    ],
    ["an unknown authority", createAuthority().issue({ names: ["api.example"] }), "tls_certificate_invalid"],
    ["a self-signed one", selfSigned({ names: ["api.example"] }), "tls_certificate_invalid"],
  ])("with %s", async (_what, tls, outcome) => {
    await using origin = await startOrigin({ tls });
    expect(await journey(`https://api.example:${origin.port}/`, { ca })).toBe(outcome);
    await until(() => origin.openSockets === 0);
    expect(origin.seen.length).toBe(outcome === "200 hello" ? 1 : 0);
  });

  test("that is answered in plain text", async () => {
    await using origin = await startOrigin();
    expect(await journey(`https://api.example:${origin.port}/`, { ca })).toBe("tls_handshake_failed");
  });

  test("that is never answered", async () => {
    const clock = fakeClock();
    let asked = 0;
    await using server = await startRawServer((socket) => {
      socket.on("data", () => {
        asked += 1;
      });
    });
    const work = journey(`https://api.example:${server.port}/`, { ca, clock });
    await until(() => asked > 0);
    clock.advance(bounds.tlsTimeoutMs);
    expect(await work).toBe("tls_timeout");
    await until(() => server.openSockets === 0);
  });

  test("leaves nothing behind after a hundred bad certificates", async () => {
    await using origin = await startOrigin({ tls: selfSigned({ names: ["api.example"] }) });
    for (let count = 0; count < 100; count += 1) {
      expect(await journey(`https://api.example:${origin.port}/`, { ca })).toBe("tls_certificate_invalid");
    }
    await until(() => origin.openSockets === 0);
  });
});

describe("a name server in the hands of an attacker", () => {
  // 127.0.0.2 stands for a public address, 127.0.0.1 for an internal one.
  const publicOnly = makeAddressPolicy(
    false,
    [
      {
        kind: "cidr",
        cidr: { family: 4, bytes: Uint8Array.of(127, 0, 0, 2), prefix: 32, text: "127.0.0.2/32" },
      },
    ],
    [],
  );

  test("that answers a public address first and an internal one second is asked once for each dial", async () => {
    await using internal = await startOrigin({ handler: (_request, response) => response.end("internal") });
    await using open = await startOrigin({ host: "127.0.0.2" });
    let asked = 0;
    const resolver: Resolver = async () => {
      asked += 1;
      return [asked % 2 === 1 ? "127.0.0.2" : "127.0.0.1"];
    };
    const outcomes = new Set<string>();
    for (let count = 0; count < 50; count += 1) {
      for (const { port } of [open, internal]) {
        outcomes.add(
          await journey(`http://h${count}.example:${port}/`, { resolver, addressPolicy: publicOnly }),
        );
      }
    }
    // Never the internal server's own words, and not one dial to it.
    expect([...outcomes].sort()).toEqual(["200 hello", "address_forbidden"]);
    expect(asked).toBe(100);
    expect(internal.connections).toBe(0);
  });

  test.each([
    ["an internal address last", ["127.0.0.2", "127.0.0.1"]],
    ["an internal address first", ["127.0.0.1", "127.0.0.2"]],
    ["an internal address in another dress", ["127.0.0.2", "::ffff:127.0.0.1"]],
    ["a zone id", ["127.0.0.2", "::1%1"]],
    ["a shorthand", ["127.0.0.2", "127.1"]],
    ["a number", ["127.0.0.2", "2130706433"]],
    ["octal", ["127.0.0.2", "0177.0.0.1"]],
    ["hexadecimal", ["0x7f000001"]],
    ["a name", ["localhost"]],
    ["a metadata address", ["127.0.0.2", "169.254.169.254"]],
    ["NAT64", ["127.0.0.2", "64:ff9b::7f00:1"]],
    ["the unspecified address", ["127.0.0.2", "0.0.0.0"]],
  ])("that mixes in %s reaches nobody", async (_what, answers) => {
    await using internal = await startOrigin();
    await using open = await startOrigin({ host: "127.0.0.2" });
    for (const { port } of [open, internal]) {
      const outcome = await journey(`http://api.example:${port}/`, {
        resolver: async () => answers,
        addressPolicy: publicOnly,
      });
      expect(outcome).toBe("address_forbidden");
    }
    expect(open.connections + internal.connections).toBe(0);
  });

  test("gets no second chance through a closed first address", async () => {
    await using internal = await startOrigin();
    const outcome = await journey(`http://api.example:${internal.port}/`, {
      resolver: async () => ["127.0.0.2"],
      addressPolicy: publicOnly,
    });
    expect(outcome).toBe("connection_refused");
    expect(internal.connections).toBe(0);
  });

  test("is not even asked about a literal", async () => {
    await using origin = await startOrigin();
    for (const host of ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "0.0.0.0", "[::]"]) {
      const outcome = await journey(`http://${host}:${origin.port}/`, {
        resolver: () => {
          throw new Error("asked");
        },
        addressPolicy: nothingGranted,
      });
      expect(outcome).toBe("address_forbidden");
    }
    expect(origin.connections).toBe(0);
  });
});
