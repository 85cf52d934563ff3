// Redirects through the whole gate: every hop is decided, admitted, vetted and recorded anew.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordsOf } from "../support/audit-lines.ts";
import type { CertificateAuthority } from "../support/certificate-authority.ts";
import { createAuthority } from "../support/certificate-authority.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let authority: CertificateAuthority;
let plain: Origin;
let secure: Origin;
let other: Origin;

function answer(origin: () => Origin) {
  return ({ path }: { readonly path: string }, response: import("node:http").ServerResponse): void => {
    const [, status = "", ...rest] = path.split("/");
    if (!/^3\d\d$/.test(status)) return void response.end(`at ${origin().url}${path}`);
    response.writeHead(Number(status), { location: decodeURIComponent(rest.join("/")) }).end("moved");
  };
}

beforeAll(async () => {
  authority = createAuthority();
  plain = await startOrigin({ handler: answer(() => plain) });
  other = await startOrigin({ handler: answer(() => other) });
  secure = await startOrigin({
    tls: authority.issue({ names: ["api.test"] }),
    handler: answer(() => secure),
  });
});

afterAll(async () => {
  await plain.close();
  await other.close();
  await secure.close();
});

const here = (): string => `http://api.test:${String(plain.port)}`;
const there = (): string => `http://there.test:${String(other.port)}`;
const safe = (): string => `https://api.test:${String(secure.port)}`;

const openBench = () =>
  openSandboxBench({
    ca: authority.caPem,
    resolve: {
      "api.test": ["127.0.0.1"],
      "there.test": ["127.0.0.1"],
      "inside.test": ["127.0.0.1"],
    },
  });

const policy = (extra: Readonly<Record<string, unknown>> = {}) =>
  policyOf({
    rules: [
      { id: "here", to: [here(), safe()], addresses: ["loopback"], ...extra },
      { id: "there", to: there(), methods: ["GET", "POST"], addresses: ["loopback"] },
      { id: "inside", to: `http://inside.test:${String(other.port)}` },
      { id: "no-secret", effect: "deny", to: there(), paths: ["/secret/**"] },
    ],
  });

const to = (status: number, location: string): string => `/${String(status)}/${encodeURIComponent(location)}`;

describe("a redirect that is allowed", () => {
  test.each([
    { status: 301, method: "POST", becomes: "GET" },
    { status: 302, method: "POST", becomes: "GET" },
    { status: 303, method: "POST", becomes: "GET" },
    { status: 303, method: "PUT", becomes: "GET" },
    { status: 301, method: "PUT", becomes: "PUT" },
    { status: 307, method: "POST", becomes: "POST" },
    { status: 308, method: "POST", becomes: "POST" },
    { status: 302, method: "PATCH", becomes: "PATCH" },
  ])("$status turns $method into $becomes", async ({ status, method, becomes }) => {
    await using bench = await openBench();
    const before = plain.seen.length;
    const result = await bench.script(
      [`get ${method} ${here()}${to(status, "/end?x=1")} content-type:text/plain body`],
      {
        policy: policy(),
      },
    );
    expect(result.lines[0]).toMatch(/^200 /);
    const [first, second] = plain.seen.slice(before);
    expect([first?.method, second?.method]).toEqual([method, becomes]);
    expect(second?.path).toBe("/end?x=1");
    expect(second?.body.byteLength).toBe(becomes === "GET" ? 0 : 4);
    const names = second?.headers.map(([name]) => name.toLowerCase());
    expect(names?.includes("content-type")).toBe(becomes !== "GET");
    expect(bench.summaries[0]).toMatchObject({ status: 200, hops: 2, decision: "allow" });
    expect(recordsOf(bench.auditDir, "request.decision").map(({ hop, decision }) => [hop, decision])).toEqual(
      [
        [0, "allow"],
        [1, "allow"],
      ],
    );
  });

  test("credentials do not travel to another origin; other headers do", async () => {
    await using bench = await openBench();
    const before = other.seen.length;
    const headers = "authorization:Bearer;cookie:a=b;x-own:kept";
    await bench.script([`get GET ${here()}${to(302, `${there()}/end`)} ${headers}`], { policy: policy() });
    const names = other.seen[before]?.headers.map(([name]) => name.toLowerCase()) ?? [];
    expect(names).toContain("x-own");
    expect(names).not.toContain("authorization");
    expect(names).not.toContain("cookie");
    expect(other.seen[before]?.headers.find(([name]) => name.toLowerCase() === "host")?.[1]).toBe(
      `there.test:${String(other.port)}`,
    );
  });

  test("a rule that returns redirects hands the 3xx to the guest", async () => {
    await using bench = await openBench();
    const before = plain.seen.length;
    const result = await bench.script([`get GET ${here()}${to(302, "/end")}`], {
      policy: policy({ redirects: "return" }),
    });
    expect(result.lines).toEqual(["302 5"]);
    expect(plain.seen.length - before).toBe(1);
  });
});

describe("a redirect that is not allowed", () => {
  test.each([
    { name: "another host", location: () => "http://evil.test/x", reason: "host_not_allowed", code: 7 },
    { name: "another port", location: () => "http://there.test:1/", reason: "port_not_allowed", code: 7 },
    { name: "a denied path", location: () => `${there()}/secret/x`, reason: "rule_denied", code: 7 },
    { name: "another scheme", location: () => "ftp://there.test/", reason: "scheme_not_allowed", code: 7 },
    {
      name: "an IP literal",
      location: () => `http://127.0.0.1:${String(other.port)}/`,
      reason: "ip_literal_not_allowed",
      code: 7,
    },
    {
      name: "a hexadecimal one",
      location: () => `http://0x7f000001:${String(other.port)}/`,
      reason: "ip_literal_not_allowed",
      code: 7,
    },
    {
      name: "a name without a grant",
      location: () => `http://inside.test:${String(other.port)}/`,
      reason: "address_forbidden",
      code: 7,
    },
    {
      name: "credentials",
      location: () => `http://u:p@there.test:${String(other.port)}/`,
      reason: "credentials_in_url",
      code: 11,
    },
    { name: "nonsense", location: () => "http://[", reason: "redirect_invalid_location", code: 11 },
  ])("to $name is $reason at stage redirect", async ({ location, reason, code }) => {
    await using bench = await openBench();
    const before = other.seen.length;
    const result = await bench.script([`get GET ${here()}${to(302, location())}`], { policy: policy() });
    expect(result.lines).toEqual([`error ${String(code)}`]);
    expect(bench.summaries[0]).toMatchObject({ decision: "deny", reason, stage: "redirect", hops: 1 });
    expect(other.seen.length).toBe(before);
    const decisions = recordsOf(bench.auditDir, "request.decision");
    expect(decisions.at(-1)).toMatchObject({ hop: 1, decision: "deny", reason, stage: "redirect" });
  });

  test("https to http is a downgrade", async () => {
    await using bench = await openBench();
    const result = await bench.script([`get GET ${safe()}${to(302, `${here()}/x`)}`], { policy: policy() });
    expect(result.lines).toEqual(["error 7"]);
    expect(bench.summaries[0]).toMatchObject({
      reason: "redirect_scheme_downgrade",
      stage: "redirect",
      hops: 1,
    });
  });

  test("a loop ends after ten hops", async () => {
    await using bench = await openBench();
    const before = plain.seen.length;
    // The server sends everybody back to the same place.
    const loop = await startOrigin({
      handler: (request, response) => response.writeHead(302, { location: request.path }).end(),
    });
    const result = await bench.script([`get GET ${loop.url}/again`], {
      policy: policyOf({ rules: [{ id: "loop", to: loop.url }] }),
    });
    await loop.close();
    expect(result.lines).toEqual(["error 11"]);
    expect(bench.summaries[0]).toMatchObject({
      reason: "redirect_limit_exceeded",
      stage: "redirect",
      hops: 10,
    });
    expect(loop.seen).toHaveLength(10);
    expect(plain.seen.length).toBe(before);
  });
});
