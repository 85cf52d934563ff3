// Hostile servers and name servers through the whole sandbox: each gives its reason to the operator and a bare code to
// the guest, within the deadline; afterwards the permit is back and no socket is left.
import type { Socket } from "node:net";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { EgressError } from "../../src/index.ts";
import type { CertificateAuthority } from "../support/certificate-authority.ts";
import { createAuthority, selfSigned } from "../support/certificate-authority.ts";
import type { Listening } from "../support/origin.ts";
import { startOrigin, startRawServer } from "../support/origin.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let authority: CertificateAuthority;

beforeAll(() => {
  authority = createAuthority();
});

/** Says its lines as soon as somebody asks; what comes after is the row's business. */
function says(text: string, then: (socket: Socket) => void = () => {}): (socket: Socket) => void {
  return (socket) =>
    void socket.once("data", () => {
      socket.write(Buffer.from(text, "latin1"));
      then(socket);
    });
}

function every(milliseconds: number, bytes: string): (socket: Socket) => void {
  return (socket) => {
    const timer = setInterval(() => socket.write(bytes), milliseconds);
    socket.on("close", () => clearInterval(timer));
  };
}

const ok = "HTTP/1.1 200 OK\r\n";

interface Row {
  readonly name: string;
  readonly serve: (socket: Socket) => void;
  readonly reason: string;
  /** Whether the response came and its body did not. */
  readonly inBody?: true;
}

const rows: readonly Row[] = [
  {
    name: "drips its body",
    serve: says(`${ok}content-length: 1000\r\n\r\n`, every(50, "x")),
    reason: "request_timeout",
    inBody: true,
  },
  { name: "drips its headers", serve: says(ok, every(50, "x-a: b\r\n")), reason: "request_timeout" },
  {
    name: "says 102 without end",
    serve: says("", every(20, "HTTP/1.1 102 Processing\r\n\r\n")),
    reason: "request_timeout",
  },
  { name: "says nothing", serve: () => {}, reason: "request_timeout" },
  {
    name: "sends huge headers",
    serve: says(`${ok}x-a: ${"x".repeat(100_000)}\r\n\r\n`),
    reason: "response_headers_too_large",
  },
  {
    name: "sends too many headers",
    serve: says(`${ok}${"a: b\r\n".repeat(300)}\r\n`),
    reason: "response_headers_too_large",
  },
  {
    name: "sends content-length and transfer-encoding",
    serve: says(`${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`),
    reason: "protocol_error",
  },
  {
    name: "promises more than it sends",
    serve: says(`${ok}content-length: 100\r\n\r\nshort`, (socket) => socket.end()),
    reason: "connection_closed",
    inBody: true,
  },
  {
    name: "promises more than the rule takes",
    serve: says(`${ok}content-length: 5000000\r\n\r\n`),
    reason: "response_body_too_large",
  },
  {
    name: "sends more than the rule takes",
    serve: says(`${ok}transfer-encoding: chunked\r\n\r\n`, every(1, `4000\r\n${"x".repeat(0x4000)}\r\n`)),
    reason: "response_body_too_large",
    inBody: true,
  },
  {
    name: "closes before its headers",
    serve: says("", (socket) => socket.end()),
    reason: "connection_closed",
  },
  { name: "resets", serve: says("", (socket) => socket.resetAndDestroy()), reason: "connection_reset" },
  {
    name: "switches protocols",
    serve: says("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    reason: "protocol_error",
  },
  {
    name: "speaks another protocol",
    serve: (socket) => socket.write("SSH-2.0-OpenSSH_9.9\r\n"),
    reason: "protocol_error",
  },
  {
    name: "has a status of its own",
    serve: says("HTTP/1.1 999 Strange\r\ncontent-length: 0\r\n\r\n"),
    reason: "protocol_error",
  },
];

// Most of their time is waiting.
describe.concurrent("a server that", () => {
  test.each(rows)("$name: $reason", async ({ serve, reason, inBody }) => {
    await using server = await startRawServer(serve);
    await using bench = await openSandboxBench();
    const policy = policyOf({
      limits: { concurrent: 1 },
      rules: [
        { id: "a", to: `http://${server.authority}`, limits: { timeout: "900ms", responseBody: "1MiB" } },
      ],
    });
    // Twice: the second request needs the permit of the first.
    for (let round = 0; round < 2; round += 1) {
      const asked = bench.sandbox
        .fetch(`http://${server.authority}/`, { guest: "g", policy })
        .then((response) => response.arrayBuffer());
      const fault: unknown = await asked.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(fault).toBeInstanceOf(EgressError);
      expect(fault).toMatchObject({ reason, rule: "a" });
    }
    const guest = await bench.script([`get GET http://${server.authority}/`], { policy });
    const code = reason === "response_body_too_large" ? "error 13" : "error 11";
    expect(guest.lines).toEqual([inBody ? "200 broken" : code]);
    expect(bench.summaries).toMatchObject([{ reason, hops: 1 }]);
    await expectNoSocket(server);
  });
});

describe("a certificate that", () => {
  const tlsRows = [
    {
      name: "is for another name",
      tls: () => authority.issue({ names: ["other.test"] }),
      reason: "tls_hostname_mismatch",
    },
    {
      name: "has expired",
      tls: () => authority.issue({ names: ["api.test"], notAfter: new Date("2021-01-01") }),
      reason: "tls_certificate_invalid",
    },
    {
      name: "nobody signed",
      tls: () => selfSigned({ names: ["api.test"] }),
      reason: "tls_certificate_invalid",
    },
    {
      name: "an unknown authority signed",
      tls: () => createAuthority("nobody").issue({ names: ["api.test"] }),
      reason: "tls_certificate_invalid",
    },
  ];

  test.each(tlsRows)("$name: $reason", async ({ tls, reason }) => {
    await using server = await startOrigin({ tls: tls() });
    await using bench = await openSandboxBench({
      ca: authority.caPem,
      resolve: { "api.test": ["127.0.0.1"] },
    });
    const to = `https://api.test:${String(server.port)}`;
    const policy = policyOf({ rules: [{ id: "a", to, addresses: ["loopback"] }] });
    const guest = await bench.script([`get GET ${to}/`], { policy });
    expect(guest.lines).toEqual(["error 11"]);
    expect(bench.summaries).toMatchObject([{ reason, stage: "tls" }]);
    expect(server.seen).toEqual([]);
    await expectNoSocket(server);
  });
});

describe("a name", () => {
  const denied = async (answers: (call: number) => readonly string[], asked: number): Promise<unknown[]> => {
    await using server = await startOrigin();
    let calls = 0;
    await using bench = await openSandboxBench({
      resolve: async () => {
        calls += 1;
        return answers(calls);
      },
    });
    const to = `http://api.test:${String(server.port)}`;
    const policy = policyOf({ rules: [{ id: "a", to, addresses: ["127.0.0.2/32"] }] });
    await bench.script(Array(asked).fill(`get GET ${to}/ connection:close`), { policy });
    expect(server.seen).toEqual([]);
    return bench.summaries.map(({ reason, address, range }) => [reason, address, range]);
  };

  test("that answers a granted address first and loopback second is refused as a whole", async () => {
    expect(await denied(() => ["127.0.0.2", "127.0.0.1"], 1)).toEqual([
      ["address_forbidden", "127.0.0.1", "loopback"],
    ]);
  });

  test("that changes its mind between look-ups is vetted at each of them", async () => {
    const answers = (call: number): readonly string[] => (call === 1 ? ["127.0.0.2"] : ["127.0.0.1"]);
    const [first, second] = await denied(answers, 2);
    expect(first).toEqual(["connection_refused", undefined, undefined]);
    expect(second).toEqual(["address_forbidden", "127.0.0.1", "loopback"]);
  });

  test.each([
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["64:ff9b::7f00:1", "embedded_ipv4"],
    ["169.254.169.254", "cloud_metadata"],
    ["fd00:ec2::254", "cloud_metadata"],
    ["10.0.0.1", "private"],
    ["0.0.0.0", "unspecified"],
    ["224.0.0.1", "multicast"],
  ])("that leads to %s is refused as %s", async (address, range) => {
    expect(await denied(() => [address], 1)).toMatchObject([
      ["address_forbidden", expect.any(String), range],
    ]);
  });

  test.each(["127.1", "2130706433", "fe80::1%lo", "not an address", ""])(
    "whose answer is %j, which no resolver should say, is refused",
    async (answer) => {
      const [outcome] = await denied(() => [answer], 1);
      expect((outcome as unknown[])[0]).toMatch(/^(dns_failed|address_forbidden)$/);
    },
  );
});

async function expectNoSocket(server: Listening): Promise<void> {
  await vi.waitFor(() => expect(server.openSockets).toBe(0), { timeout: 3_000 });
}
