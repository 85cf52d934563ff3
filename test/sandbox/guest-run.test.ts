// Real guests through the whole sandbox: what they get, what they may hold, how they end.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { policyFromAllowList } from "../../src/index.ts";
import type { CertificateAuthority } from "../support/certificate-authority.ts";
import { createAuthority } from "../support/certificate-authority.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { allowing, openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let authority: CertificateAuthority;
let origin: Origin;

beforeAll(async () => {
  authority = createAuthority();
  origin = await startOrigin({
    tls: authority.issue({ names: ["api.test"] }),
    handler(request, response) {
      if (request.path.startsWith("/slow")) return void setTimeout(() => response.end("late"), 5_000);
      if (request.path === "/post") {
        return void response.end(
          `${JSON.stringify(request.headers)} ${new TextDecoder().decode(request.body)}`,
        );
      }
      if (request.method === "POST") {
        response.writeHead(200, { "content-type": "text/plain" });
        return void response.end(request.body);
      }
      response.writeHead(200, { "content-type": "text/plain" });
      response.end("hello");
    },
  });
});

afterAll(() => origin.close());

const base = (): string => `https://api.test:${String(origin.port)}`;
const openBench = () => openSandboxBench({ ca: authority.caPem, resolve: { "api.test": ["127.0.0.1"] } });

describe("the requester", () => {
  test("gets, posts and reads, and each request has a summary", async () => {
    await using bench = await openBench();
    const result = await bench.script(
      [
        `get GET ${base()}/a?token=s3cret`,
        `get POST ${base()}/echo x-a:1 body-of-seven`,
        `get GET ${base()}/b`,
      ],
      { policy: allowing(`https://api.test:${String(origin.port)}`) },
    );
    expect(result).toMatchObject({ kind: "exited", code: 0, requests: { allowed: 3, denied: 0, failed: 0 } });
    expect(result.lines).toEqual(["200 5", "200 13", "200 5"]);
    expect(bench.summaries).toMatchObject([
      { method: "GET", decision: "allow", rule: "allowed", status: 200, hops: 1, bytesOut: 0, bytesIn: 5 },
      { method: "POST", decision: "allow", status: 200, bytesOut: 13, bytesIn: 13 },
      { method: "GET", decision: "allow", status: 200 },
    ]);
    expect(JSON.stringify(bench.summaries)).not.toContain("s3cret");
  });

  test("a guest learns a code for each denial, and the summary says why", async () => {
    await using bench = await openBench();
    const policy = policyOf({
      rules: [
        { id: "api", to: base(), methods: ["GET"], paths: ["/v1/**"], addresses: ["loopback"] },
        { id: "no-admin", effect: "deny", to: base(), paths: ["/v1/admin/**"] },
        { id: "no-grant", to: `https://other.test:${String(origin.port)}` },
      ],
    });
    const rows: readonly (readonly [step: string, line: string, reason: string, stage: string])[] = [
      [`get GET https://elsewhere.test:${String(origin.port)}/`, "error 7", "host_not_allowed", "policy"],
      [`get GET ${base().replace("https", "http")}/v1/`, "error 7", "scheme_not_allowed", "policy"],
      ["get GET https://api.test:1/v1/", "error 7", "port_not_allowed", "policy"],
      [`get DELETE ${base()}/v1/`, "error 7", "method_not_allowed", "policy"],
      [`get GET ${base()}/v2/`, "error 7", "path_not_allowed", "policy"],
      [`get GET ${base()}/v1/admin/x`, "error 7", "rule_denied", "policy"],
      [
        `get GET https://0x7f000001:${String(origin.port)}/v1/`,
        "error 7",
        "ip_literal_not_allowed",
        "policy",
      ],
      ["get GET https://user:pw@api.test/", "error 10", "credentials_in_url", "validate"],
      ["get GET https:/api.test/", "error 10", "invalid_url", "validate"],
      [`get G@T ${base()}/v1/`, "error 8", "invalid_method", "validate"],
      [`get GET ${base()}/v1/ host:evil.test`, "error 9", "header_not_allowed", "policy"],
      [`get GET ${base()}/v1/ no-colon`, "error 9", "invalid_header", "validate"],
    ];
    const result = await bench.script(
      rows.map(([step]) => step),
      { policy },
    );
    expect(result.lines).toEqual(rows.map(([, line]) => line));
    expect(bench.summaries.map(({ reason, stage }) => [reason, stage])).toEqual(
      rows.map(([, , reason, stage]) => [reason, stage]),
    );
    expect(origin.seen.filter(({ path }) => path.startsWith("/v"))).toEqual([]);
  });

  test("a name that leads to loopback without a grant is refused, and the summary names address and range", async () => {
    await using bench = await openBench();
    const result = await bench.script([`get GET ${base()}/ungranted`], {
      policy: policyOf({ rules: [{ id: "api", to: base() }] }),
    });
    expect(result.lines).toEqual(["error 7"]);
    expect(bench.summaries[0]).toMatchObject({
      decision: "deny",
      reason: "address_forbidden",
      stage: "address",
      range: "loopback",
      address: "127.0.0.1",
      rule: "api",
      hops: 0,
    });
  });

  test("open responses are counted from request to close, and zero is none", async () => {
    await using bench = await openBench();
    const policy = allowing(base());
    const get = `open GET ${base()}/`;
    const two = await bench.script([get, get, get, "close", get, get], { policy, concurrent: 2 });
    expect(two.lines).toEqual(["200", "200", "error 13", "closed", "200", "error 13"]);
    const none = await bench.script([get], { policy, concurrent: 0 });
    expect(none.lines).toEqual(["error 13"]);
    const afterwards = await bench.script([get, get], { policy, concurrent: 2 });
    expect(afterwards.lines).toEqual(["200", "200"]);
  });

  test("a deadline ends a guest that waits for a server, and its request is recorded", async () => {
    await using bench = await openBench();
    const result = await bench.script([`get GET ${base()}/slow`], {
      policy: allowing(base()),
      timeoutMs: 300,
    });
    expect(result.kind).toBe("deadline");
    expect(bench.summaries).toMatchObject([{ decision: "allow", reason: "run_deadline_exceeded" }]);
  });

  test("an abort ends a guest and says whose reason it was", async () => {
    await using bench = await openBench();
    const controller = new AbortController();
    const running = bench.script([`get GET ${base()}/slow?abort`], {
      policy: allowing(base()),
      signal: controller.signal,
    });
    await vi.waitFor(() => expect(origin.seen.at(-1)?.path).toBe("/slow?abort"));
    controller.abort("the embedder's wish");
    expect(await running).toMatchObject({ kind: "aborted", reason: "the embedder's wish" });
    expect(bench.summaries).toMatchObject([{ reason: "guest_terminated" }]);
  });

  test("an exit status is the guest's own", async () => {
    await using bench = await openBench();
    expect(await bench.script(["exit 7"], { policy: allowing(base()) })).toMatchObject({
      kind: "exited",
      code: 7,
    });
  });
});

describe.each([
  { tongue: "Rust", file: "rust/predecessor.wasm" },
  { tongue: "AssemblyScript", file: "assemblyscript/predecessor.wasm" },
])("a guest built with the predecessor's $tongue library", ({ file }) => {
  const wasm = (): Promise<Buffer> =>
    readFile(join(import.meta.dirname, "../guest/programs/predecessor", file));

  async function run(invoke: string, allowed: readonly string[] | undefined, concurrent?: number) {
    await using bench = await openBench();
    const { policy } = policyFromAllowList(allowed, { addresses: ["loopback"] });
    if (policy === undefined) throw new Error("the allow list is wrong");
    const result = await bench.sandbox.run(await wasm(), {
      guest: "predecessor",
      policy,
      invoke,
      env: { BASE_URL: base() },
      onRequest: (summary) => bench.summaries.push(summary),
      ...(concurrent === undefined ? {} : { concurrent }),
    });
    return { result, reasons: bench.summaries.map(({ reason }) => reason) };
  }

  test.each(["get", "post", "concurrent"])("`%s` works where the origin is listed", async (invoke) => {
    const { result } = await run(invoke, [base()]);
    expect(result).toMatchObject({ kind: "exited", code: 0, requests: { denied: 0, failed: 0 } });
  });

  test.each(["get", "post", "concurrent"])("`%s` works under insecure:allow-all", async (invoke) => {
    expect((await run(invoke, ["insecure:allow-all"])).result).toMatchObject({ kind: "exited", code: 0 });
  });

  test.each([
    { list: "none", allowed: undefined },
    { list: "an empty one", allowed: [] },
    { list: "another origin", allowed: ["https://example.com"] },
  ])("`get` is denied where the allow list is $list", async ({ allowed }) => {
    const { result, reasons } = await run("get", allowed);
    expect(result.kind === "exited" && result.code === 0).toBe(false);
    expect(reasons).toEqual(["host_not_allowed"]);
  });

  test("`concurrent` fails at its third open response when two are allowed", async () => {
    const { result, reasons } = await run("concurrent", [base()], 2);
    expect(result.kind === "exited" && result.code === 0).toBe(false);
    expect(reasons.filter((reason) => reason === "concurrency_exceeded")).toHaveLength(1);
  });
});
