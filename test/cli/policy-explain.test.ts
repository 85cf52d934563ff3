// `policy explain` for a person and for programs: the gate's judgement without any network.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Folder } from "./program.ts";
import { openFolder, program, stackTrace } from "./program.ts";

const policy = `version: 1
name: weather
rules:
  - id: forecast
    to: https://api.weather.example
    methods: [GET]
    paths: [/v1/**]
    limits: { rate: 60/min, responseBody: 1MiB, timeout: 5s }
  - id: no-admin
    effect: deny
    to: https://api.weather.example
    paths: [/v1/admin/**]
  - id: cache
    to: http://cache.corp.example:8080
    addresses: [10.20.0.0/16]
  - id: not-there
    effect: deny
    to: https://*.weather.example
    addresses: [203.0.113.0/24]
  - id: literal
    to: http://10.0.0.9
`;

let folder: Folder;
beforeAll(async () => {
  folder = await openFolder({
    "p.yaml": policy,
    "report.yaml": `version: 1\nmode: report\nrules:\n  - id: forecast\n    to: https://api.weather.example\n`,
    "faulty.yaml": "version: 1\nrules:\n  - id: a\n    too: x\n",
  });
});
afterAll(() => folder[Symbol.asyncDispose]());

const explain = (args: readonly string[], input?: string | Uint8Array) =>
  program(["policy", "explain", ...args], { cwd: folder.path, ...(input === undefined ? {} : { input }) });

describe("for a person", () => {
  test("an allowed request names its rule with its place, its limits, and what was not judged", async () => {
    const { status, stdout, stderr } = await explain([
      "p.yaml",
      "https://api.weather.example/v1/forecast?q=1",
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^allow {2}GET https:\/\/api\.weather\.example\/v1\/forecast\?q=1\n/);
    expect(stdout).toContain("rule: forecast (p.yaml:4:5)\n");
    expect(stdout).toMatch(/limits: rate 60\/min, .*timeout 5s/);
    expect(stdout).toContain("responseBody 1MiB");
    expect(stdout).toContain("addresses: not judged");
  });

  test.each([
    [
      ["POST", "https://api.weather.example/v1/x"],
      [
        "no rule for this destination allows this method (method_not_allowed, stage policy)",
        "near: forecast (p.yaml:4:5)",
      ],
    ],
    [["https://api.weather.example/v2"], ["path_not_allowed", "near: forecast (p.yaml:4:5)", "/v1/**"]],
    [["https://api.weather.example:8443/v1/x"], ["port_not_allowed", "near: forecast (p.yaml:4:5)"]],
    [
      ["https://api.weather.example/v1/admin/x"],
      ["a deny rule matches (rule_denied", "rule: no-admin (p.yaml:9:5)"],
    ],
    [
      ["https://api.wether.example/"],
      ["host_not_allowed", "add a rule with `to: https://api.wether.example` to p.yaml"],
    ],
    [["ftp://api.weather.example/"], ["scheme_not_allowed", "guests reach http and https only"]],
    [
      ["TRACE", "https://api.weather.example/v1/x"],
      ["method_not_allowed", "no policy can allow TRACE"],
    ],
    [["https://me:pw@api.weather.example/"], ["credentials_in_url", "no policy can allow it"]],
    [
      ["http://cache.corp.example:8080/", "--resolves", "10.20.0.7", "--resolves", "10.30.0.1"],
      [
        "address: 10.30.0.1, range private",
        "rule: cache (p.yaml:13:5)",
        "write `addresses: [private]` on rule cache in p.yaml",
      ],
    ],
    [
      ["http://cache.corp.example:8080/", "--resolves", "169.254.169.254"],
      ["range cloud_metadata", "hands out the machine's own credentials", "169.254.169.254/32"],
    ],
    [
      ["http://cache.corp.example:8080/", "--resolves", "64:ff9b::a00:1"],
      ["range embedded_ipv4", "no rule can grant an address with another one hidden in it"],
    ],
    [
      ["https://api.weather.example/v1/x", "--resolves", "203.0.113.5"],
      ["range denied_by_rule", "rule: not-there (p.yaml:16:5)"],
    ],
  ])("%j is denied, with the reason in words and what to do", async (args, sentences) => {
    const { status, stdout, stderr } = await explain(["p.yaml", ...args]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    expect(stdout).toMatch(/^deny {2}/);
    for (const sentence of sentences) expect(stdout).toContain(sentence);
  });

  test("a policy that only reports says would deny", async () => {
    const { status, stdout } = await explain(["report.yaml", "https://other.example/"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^would deny \(the policy only reports\) {2}GET https:\/\/other\.example\/\n/);
  });

  test("--json is one object with every member", async () => {
    const { status, stdout } = await explain(["p.yaml", "https://api.weather.example/v1/forecast", "--json"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      effect: "allow",
      reason: null,
      stage: null,
      rule: "forecast",
      range: null,
      destination: {
        scheme: "https",
        host: "api.weather.example",
        port: 443,
        path: "/v1/forecast",
        query: "",
      },
      addresses: "not judged",
    });
  });

  test("a faulty policy cannot be explained: every error with its place, exit status 2", async () => {
    const { status, stdout, stderr } = await explain(["faulty.yaml", "https://a.example/"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^faulty\.yaml:4:5: error: /m);
    expect(stderr).not.toMatch(stackTrace);
  });

  test("an absent policy is a sentence", async () => {
    const { status, stderr } = await explain(["absent.yaml", "https://a.example/"]);
    expect(status).toBe(2);
    expect(stderr).toBe("sallyport: the policy absent.yaml cannot be read: no such file\n  check the path\n");
  });
});

describe("--batch", () => {
  const answers = (stdout: string) =>
    stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const denied = (reason: string, stage: string, more: object = {}) =>
    expect.objectContaining({ effect: "deny", reason, stage, rule: null, range: null, ...more });

  const rows: readonly (readonly [string, object, object])[] = [
    [
      "a name without addresses is not judged on them",
      { url: "https://api.weather.example/v1/a?b=c" },
      {
        effect: "allow",
        reason: null,
        stage: null,
        rule: "forecast",
        range: null,
        destination: {
          scheme: "https",
          host: "api.weather.example",
          port: 443,
          path: "/v1/a",
          query: "?b=c",
        },
        addresses: "not judged",
      },
    ],
    [
      "a name with public addresses is judged whole",
      { method: "GET", url: "https://api.weather.example/v1/a", resolves: ["93.184.215.14"] },
      {
        effect: "allow",
        reason: null,
        stage: null,
        rule: "forecast",
        range: null,
        destination: { scheme: "https", host: "api.weather.example", port: 443, path: "/v1/a", query: "" },
      },
    ],
    [
      "any bad address refuses the whole answer",
      { url: "http://cache.corp.example:8080/", resolves: ["10.20.0.1", "127.0.0.1"] },
      {
        effect: "deny",
        reason: "address_forbidden",
        stage: "address",
        rule: "cache",
        range: "loopback",
        destination: { scheme: "http", host: "cache.corp.example", port: 8080, path: "/", query: "" },
      },
    ],
    [
      "a granted address passes",
      { url: "http://cache.corp.example:8080/", resolves: ["10.20.0.1"] },
      {
        effect: "allow",
        reason: null,
        stage: null,
        rule: "cache",
        range: null,
        destination: { scheme: "http", host: "cache.corp.example", port: 8080, path: "/", query: "" },
      },
    ],
    [
      "an IPv4-mapped address is what it maps to",
      { url: "http://cache.corp.example:8080/", resolves: ["::ffff:10.20.0.1"] },
      {
        effect: "allow",
        reason: null,
        stage: null,
        rule: "cache",
        range: null,
        destination: { scheme: "http", host: "cache.corp.example", port: 8080, path: "/", query: "" },
      },
    ],
    [
      "a zone id refuses the answer",
      { url: "http://cache.corp.example:8080/", resolves: ["fe80::1%eth0"] },
      {
        effect: "deny",
        reason: "address_forbidden",
        stage: "address",
        rule: "cache",
        range: "link_local",
        destination: { scheme: "http", host: "cache.corp.example", port: 8080, path: "/", query: "" },
      },
    ],
    [
      "a name without any address has none",
      { url: "https://api.weather.example/v1/a", resolves: [] },
      {
        effect: "deny",
        reason: "dns_no_address",
        stage: "dns",
        rule: "forecast",
        range: null,
        destination: { scheme: "https", host: "api.weather.example", port: 443, path: "/v1/a", query: "" },
      },
    ],
    [
      "an IP literal is always judged",
      { url: "http://10.0.0.9/" },
      {
        effect: "allow",
        reason: null,
        stage: null,
        rule: "literal",
        range: null,
        destination: { scheme: "http", host: "10.0.0.9", port: 80, path: "/", query: "" },
      },
    ],
    [
      "an IP literal's spelling does not matter, nor what it would resolve to",
      { url: "http://0x0a000009:80/../x", resolves: ["127.0.0.1"] },
      {
        effect: "allow",
        reason: null,
        stage: null,
        rule: "literal",
        range: null,
        destination: { scheme: "http", host: "10.0.0.9", port: 80, path: "/x", query: "" },
      },
    ],
    [
      "a deny rule names itself",
      { url: "https://api.weather.example/v1/admin/x" },
      {
        effect: "deny",
        reason: "rule_denied",
        stage: "policy",
        rule: "no-admin",
        range: null,
        destination: {
          scheme: "https",
          host: "api.weather.example",
          port: 443,
          path: "/v1/admin/x",
          query: "",
        },
        addresses: "not judged",
      },
    ],
    [
      "a URL that does not parse has no destination",
      { url: "http:/\\evil" },
      {
        effect: "deny",
        reason: "invalid_url",
        stage: "validate",
        rule: null,
        range: null,
        destination: null,
      },
    ],
    [
      "headers as an object",
      { url: "https://api.weather.example/v1/a", headers: { host: "evil.example" } },
      denied("header_not_allowed", "policy"),
    ],
    [
      "headers with lists",
      { url: "https://api.weather.example/v1/a", headers: { accept: ["a", "b"], "x-forwarded-for": ["1"] } },
      denied("header_not_allowed", "policy"),
    ],
    [
      "headers as pairs",
      {
        url: "https://api.weather.example/v1/a",
        headers: [
          ["accept", "a"],
          ["bad name", "x"],
        ],
      },
      denied("invalid_header", "validate"),
    ],
    [
      "a method that is none",
      { method: "GE T", url: "https://api.weather.example/v1/a" },
      denied("invalid_method", "validate"),
    ],
  ];
  // One batch for all rows: starting the program costs more than judging.
  let judged: Promise<Awaited<ReturnType<typeof program>>> | undefined;

  test.each(rows.map(([name, , answer], index) => ({ name, answer, index })))(
    "$name",
    async ({ answer, index }) => {
      judged ??= explain(
        ["--batch", "p.yaml"],
        rows.map(([, question]) => `${JSON.stringify(question)}\n`).join(""),
      );
      const { status, stdout, stderr } = await judged;
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(answers(stdout)[index]).toEqual(answer);
    },
  );

  test("a policy that only reports says so in every answer, and still guards addresses", async () => {
    const { stdout } = await explain(
      ["--batch", "report.yaml"],
      '{"url":"https://other.example/"}\n{"url":"https://other.example/","resolves":["127.0.0.1"]}\n',
    );
    expect(answers(stdout)).toMatchObject([
      { effect: "deny", reason: "host_not_allowed", mode: "report" },
      { effect: "deny", reason: "address_forbidden", range: "loopback", mode: "report" },
    ]);
  });

  test("lines that are no requests get an error in their place, and the others are judged", async () => {
    const lines = [
      '{"url":"https://api.weather.example/v1/1"}',
      "not json",
      "",
      "   ",
      "[]",
      '"text"',
      "{}",
      '{"url":7}',
      '{"url":"https://a.example/","method":7}',
      '{"url":"https://a.example/","headers":"x: y"}',
      '{"url":"https://a.example/","headers":{"a":1}}',
      '{"url":"https://a.example/","headers":[["a"]]}',
      '{"url":"https://a.example/","resolves":"127.0.0.1"}',
      '{"url":"https://a.example/","resolves":[1]}',
      `{"url":"https://a.example/${"x".repeat(300_000)}"}`,
      '{"url":"https://api.weather.example/v1/2"}\r',
      '{"url":"https://api.weather.example/v1/3"}',
    ];
    const { status, stdout, stderr } = await explain(["--batch", "p.yaml"], lines.join("\n"));
    expect(status).toBe(1);
    expect(stderr).toBe("sallyport: 14 of 17 lines could not be judged\n");
    const found = answers(stdout);
    expect(found.map(({ error, destination }) => error ?? destination.path)).toEqual([
      "/v1/1",
      "line 2: not JSON",
      "line 3: empty",
      "line 4: empty",
      'line 5: not an object, as {"method":"GET","url":"https://api.example/"}',
      'line 6: not an object, as {"method":"GET","url":"https://api.example/"}',
      "line 7: url is missing",
      "line 8: url is not a string",
      "line 9: method is not a string",
      "line 10: headers is neither an object of strings or lists of strings nor a list of pairs",
      "line 11: headers is neither an object of strings or lists of strings nor a list of pairs",
      "line 12: headers is neither an object of strings or lists of strings nor a list of pairs",
      "line 13: resolves is not a list of IP addresses",
      "line 14: resolves is not a list of IP addresses",
      "line 15: longer than 256 KiB",
      "/v1/2",
      "/v1/3",
    ]);
  });

  test("bytes that are not UTF-8 are an error in their place", async () => {
    const { status, stdout } = await explain(["--batch", "p.yaml"], new Uint8Array([0x22, 0xff, 0x22, 0x0a]));
    expect(status).toBe(1);
    expect(answers(stdout)).toEqual([{ error: "line 1: not UTF-8" }]);
  });

  test("nothing in, nothing out", async () => {
    expect(await explain(["--batch", "p.yaml"], "")).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("whoever sends one line and waits gets its answer before sending the next", async () => {
    const replies: string[] = [];
    const { status } = await program(["policy", "explain", "--batch", "p.yaml"], {
      cwd: folder.path,
      keepInputOpen: true,
      onStart(child) {
        const ask = () => child.stdin?.write(`{"url":"https://api.weather.example/v1/${replies.length}"}\n`);
        child.stdout?.on("data", (chunk: Buffer) => {
          replies.push(JSON.parse(chunk.toString()).destination.path);
          if (replies.length === 3) child.stdin?.end();
          else ask();
        });
        ask();
      },
    });
    expect(status).toBe(0);
    expect(replies).toEqual(["/v1/0", "/v1/1", "/v1/2"]);
  });

  test("100,000 lines are judged in order within seconds", async () => {
    const lines = Array.from(
      { length: 100_000 },
      (_, index) => `{"url":"https://api.weather.example/v1/${index}","resolves":["93.184.215.14"]}\n`,
    );
    const { status, stdout, durationMs } = await explain(["--batch", "p.yaml"], lines.join(""));
    expect(status).toBe(0);
    const found = answers(stdout);
    expect(found).toHaveLength(100_000);
    expect(found.every(({ destination }, index) => destination.path === `/v1/${index}`)).toBe(true);
    expect(durationMs).toBeLessThan(15_000);
  });

  test("a reader that goes away ends it quietly", async () => {
    const lines = '{"url":"https://api.weather.example/v1/a"}\n'.repeat(50_000);
    const { stderr } = await program(["policy", "explain", "--batch", "p.yaml"], {
      cwd: folder.path,
      input: lines,
      onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    expect(stderr).toBe("");
  });
});
