// Decisions one by one: what matches, what denies, which rule is named, and which reason is given.
import { describe, expect, test } from "vitest";
import { decide } from "../../src/policy/decide.ts";
import type { PolicyRequest } from "../../src/policy/policy.ts";
import { judge, policyOf, showDecision } from "../support/policies.ts";

const weather = policyOf(`
version: 1
rules:
  - { id: forecast, to: https://api.weather.example, methods: [GET], paths: [/v1/forecast/**] }
  - { id: no-admin, effect: deny, to: https://api.weather.example, paths: [/v1/admin/**] }
  - { id: anything, to: https://open.weather.example }
  - { id: ports, to: https://open.weather.example:8000-8999, methods: [POST] }
  - { id: one, to: https://*.one.example }
  - { id: many, to: https://**.many.example }
  - { id: no-secret, effect: deny, to: https://**.secret.many.example }
  - { id: cache, to: http://cache:8080 }
  - { id: literal, to: "http://192.168.0.1" }
  - { id: six, to: "https://[2001:db8::1]:8443" }
  - { id: block, to: http://10.0.0.0/8:8080 }
  - { id: not-that-one, effect: deny, to: http://10.0.0.7:8080 }
`);

const rows: readonly (readonly [string, string, string])[] = [
  ["GET", "https://api.weather.example/v1/forecast/berlin", "allow by forecast"],
  ["GET", "https://api.weather.example/v1/forecast", "allow by forecast"],
  ["GET", "https://API.weather.example.:443/x/../v1/%66orecast/", "allow by forecast"],
  ["GET", "https://api.weather.example/v1/forecast/berlin?path=/v1/admin/", "allow by forecast"],
  ["POST", "https://api.weather.example/v1/forecast/berlin", "method_not_allowed"],
  ["get", "https://api.weather.example/v1/forecast/berlin", "method_not_allowed"],
  ["HEAD", "https://api.weather.example/v1/forecast/berlin", "method_not_allowed"],
  ["GET", "https://api.weather.example/v2", "path_not_allowed"],
  ["GET", "https://api.weather.example/v1/forecast/a%2Fb", "path_not_allowed"],
  ["GET", "https://api.weather.example/v1/forecast//b", "path_not_allowed"],
  ["GET", "https://api.weather.example/v1/forecast/%5c", "path_not_allowed"],
  ["GET", "https://api.weather.example/v1/forecast/%00", "path_not_allowed"],
  ["GET", "https://api.weather.example:8443/v1/forecast/x", "port_not_allowed"],
  ["GET", "http://api.weather.example/v1/forecast/x", "host_not_allowed"],
  ["GET", "http://api.weather.example:443/v1/forecast/x", "host_not_allowed"],
  ["GET", "https://www.weather.example/v1/forecast/x", "host_not_allowed"],
  ["GET", "https://api.weather.example.evil.example/v1/forecast/x", "host_not_allowed"],
  ["GET", "https://1.2.3.4/", "ip_literal_not_allowed"],
  ["GET", "https://api.weather.example/v1/admin", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/admin/", "rule_denied by no-admin"],
  ["PATCH", "https://api.weather.example/v1/admin/users", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1%2Fadmin/users", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/forecast/..%2fadmin", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/forecast/%2e%2e/admin", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/forecast/..%5cadmin", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1//admin", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/%2561dmin", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/admin%00.png", "rule_denied by no-admin"],
  ["GET", "https://api.weather.example/v1/administrator", "path_not_allowed"],
  ["GET", "https://open.weather.example/", "allow by anything"],
  ["DELETE", "https://open.weather.example//x%2Fy", "allow by anything"],
  ["PROPFIND", "https://open.weather.example/", "allow by anything"],
  ["POST", "https://open.weather.example:8000/", "allow by ports"],
  ["POST", "https://open.weather.example:8999/", "allow by ports"],
  ["GET", "https://open.weather.example:8999/", "method_not_allowed"],
  ["POST", "https://open.weather.example:9000/", "port_not_allowed"],
  ["TRACE", "https://open.weather.example/", "method_not_allowed"],
  ["TRACK", "https://nowhere.example/", "method_not_allowed"],
  ["CONNECT", "https://open.weather.example/", "method_not_allowed"],
  ["connect", "https://open.weather.example/", "method_not_allowed"],
  ["GET", "https://a.one.example/", "allow by one"],
  ["GET", "https://one.example/", "host_not_allowed"],
  ["GET", "https://b.a.one.example/", "host_not_allowed"],
  ["GET", "https://aone.example/", "host_not_allowed"],
  ["GET", "https://a.many.example/", "allow by many"],
  ["GET", "https://c.b.a.many.example/", "allow by many"],
  ["GET", "https://many.example/", "host_not_allowed"],
  ["GET", "https://x.secret.many.example/", "rule_denied by no-secret"],
  ["GET", "https://secret.many.example/", "allow by many"],
  ["GET", "http://cache:8080/", "allow by cache"],
  ["GET", "http://cache/", "port_not_allowed"],
  ["GET", "http://192.168.0.1/", "allow by literal"],
  ["GET", "http://0xc0a80001/", "allow by literal"],
  ["GET", "http://[::ffff:192.168.0.1]/", "allow by literal"],
  ["GET", "http://192.168.0.2/", "ip_literal_not_allowed"],
  ["GET", "https://[2001:db8:0:0::1]:8443/", "allow by six"],
  ["GET", "https://[2001:db8::2]:8443/", "ip_literal_not_allowed"],
  ["GET", "http://10.255.0.1:8080/", "allow by block"],
  ["GET", "http://10.0.0.7:8080/", "rule_denied by not-that-one"],
  ["GET", "http://10.0.0.1/", "port_not_allowed"],
];

describe("decide", () => {
  for (const [method, url, expected] of rows) {
    test(`${method} ${url} is ${expected}`, () =>
      expect(showDecision(judge(weather, method, url))).toBe(expected));
  }
});

const wild = policyOf(
  `{ version: 1, rules: [{ id: all, to: [https://**, http://**, "https://**.example", "https://*.local"] }] }`,
);

describe("a wildcard", () => {
  for (const url of [
    "https://a.b/",
    "https://example.com/",
    "http://x.y.z.example.org/",
    "https://xn--bcher-kva.example/",
  ]) {
    test(`allows ${url}`, () => expect(judge(wild, "GET", url).effect).toBe("allow"));
  }
  for (const url of [
    "https://localhost/",
    "https://a.localhost/",
    "http://cache/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://x.svc/",
  ]) {
    test(`never matches the single label or special-use name ${url}`, () => {
      expect(showDecision(judge(wild, "GET", url))).toBe("host_not_allowed");
    });
  }
  for (const url of ["https://93.184.216.34/", "https://[2606:4700::1111]/", "http://2130706433/"]) {
    test(`never matches the IP literal ${url}`, () =>
      expect(showDecision(judge(wild, "GET", url))).toBe("ip_literal_not_allowed"));
  }
  test("denies no special-use name, single label or IP literal either", () => {
    const policy = policyOf(`
      version: 1
      rules:
        - { id: all, to: insecure:allow-all }
        - { id: none, effect: deny, to: [https://**, https://*.local] }
    `);
    expect(showDecision(judge(policy, "GET", "https://example.com/"))).toBe("rule_denied by none");
    for (const url of ["https://printer.local/", "https://cache/", "https://1.2.3.4/"]) {
      expect(showDecision(judge(policy, "GET", url))).toBe("allow by all");
    }
  });
});

// Each line: a narrower thing before a wider one. Ids are such that id order alone would choose the other one.
const precedence: readonly (readonly [string, string, string, string])[] = [
  [
    "an exact host comes before a wildcard",
    "to: https://a.b.example",
    "to: https://*.b.example",
    "https://a.b.example/",
  ],
  [
    "one label comes before many",
    "to: https://*.b.example",
    "to: https://**.b.example",
    "https://a.b.example/",
  ],
  [
    "one label comes before many of a longer name",
    "to: https://*.b.example",
    "to: https://**.example",
    "https://a.b.example/",
  ],
  [
    "a longer suffix comes before a shorter one",
    "to: https://**.b.example",
    "to: https://**.example",
    "https://x.a.b.example/",
  ],
  ["a suffix comes before any name", "to: https://**.example", "to: https://**", "https://a.b.example/"],
  ["a literal comes before a range", "to: http://10.0.0.1", "to: http://10.0.0.0/31", "http://10.0.0.1/"],
  [
    "a longer prefix comes before a shorter one",
    "to: http://10.0.0.0/24",
    "to: http://10.0.0.0/8",
    "http://10.0.0.1/",
  ],
  [
    "a longer prefix comes before a shorter one in IPv6",
    'to: "http://[2001:db8::/33]"',
    'to: "http://[2001:db8::/32]"',
    "http://[2001:db8::1]/",
  ],
  ["a range comes before everything", "to: http://10.0.0.0/8", "to: insecure:allow-all", "http://10.0.0.1/"],
  ["any name comes before everything", "to: https://**", "to: insecure:allow-all", "https://a.example/"],
  [
    "the host comes before the port",
    "to: https://a.example:*",
    "to: https://*.example:443",
    "https://a.example/",
  ],
  [
    "one port comes before a range",
    "to: https://a.example",
    "to: https://a.example:443-444",
    "https://a.example/",
  ],
  [
    "a narrower range comes before a wider one",
    "to: https://a.example:440-444",
    "to: https://a.example:*",
    "https://a.example/",
  ],
  [
    "the port comes before the path",
    "to: https://a.example",
    "{ to: https://a.example:*, paths: [/v1/x] }",
    "https://a.example/v1/x",
  ],
  [
    "paths come before none",
    "{ to: https://a.example, paths: [/**] }",
    "to: https://a.example",
    "https://a.example/v1/x",
  ],
  [
    "an exact path comes before a wildcard",
    "{ to: https://a.example, paths: [/v1/x] }",
    "{ to: https://a.example, paths: [/v1/*] }",
    "https://a.example/v1/x",
  ],
  [
    "one segment comes before any rest",
    "{ to: https://a.example, paths: [/v1/*] }",
    "{ to: https://a.example, paths: [/v1/**] }",
    "https://a.example/v1/x",
  ],
  [
    "a longer path comes before a shorter one",
    "{ to: https://a.example, paths: [/v1/x/**] }",
    "{ to: https://a.example, paths: [/v1/**] }",
    "https://a.example/v1/x/y",
  ],
  [
    "more segments come before fewer",
    "{ to: https://a.example, paths: [/*/**] }",
    "{ to: https://a.example, paths: [/**] }",
    "https://a.example/v1/x",
  ],
  [
    "an exact path comes before its rest",
    "{ to: https://a.example, paths: [/v1/x] }",
    "{ to: https://a.example, paths: [/v1/x/**] }",
    "https://a.example/v1/x",
  ],
  [
    "the narrowest of several paths counts",
    "{ to: https://a.example, paths: [/**, /v1/x] }",
    "{ to: https://a.example, paths: [/v1/**] }",
    "https://a.example/v1/x",
  ],
  [
    "only a path that matches counts",
    "{ to: https://a.example, paths: [/v1/**] }",
    "{ to: https://a.example, paths: [/**, /v2/x/y] }",
    "https://a.example/v1/x",
  ],
  [
    "paths come before methods",
    "{ to: https://a.example, paths: [/**] }",
    "{ to: https://a.example, methods: [GET] }",
    "https://a.example/",
  ],
  [
    "methods come before none",
    "{ to: https://a.example, methods: [GET, PUT, POST] }",
    "to: https://a.example",
    "https://a.example/",
  ],
  [
    "fewer methods come before more",
    "{ to: https://a.example, methods: [GET] }",
    "{ to: https://a.example, methods: [GET, PUT] }",
    "https://a.example/",
  ],
  [
    "the narrowest of several patterns counts",
    "to: [https://**, https://a.example]",
    "to: https://*.example",
    "https://a.example/",
  ],
  [
    "a name in capitals is no narrower",
    "to: https://A.example",
    "to: https://*.example",
    "https://a.example/",
  ],
];

function ruleText(id: string, effect: string, body: string): string {
  const inner = body.startsWith("{") ? body.slice(1, -1) : body;
  return `  - { id: ${id}, effect: ${effect}, ${inner} }`;
}

describe("of several rules that match", () => {
  for (const [title, narrow, wide, url] of precedence) {
    for (const effect of ["allow", "deny"]) {
      test(`${title} (${effect})`, () => {
        for (const order of [0, 1]) {
          const texts = [ruleText("z-narrow", effect, narrow), ruleText("a-wide", effect, wide)];
          const lines = order === 0 ? texts : texts.toReversed();
          const decision = judge(policyOf(`version: 1\nrules:\n${lines.join("\n")}\n`), "GET", url);
          expect(decision.rule?.id).toBe("z-narrow");
        }
      });
    }
  }

  test("ids in code units decide what nothing else does", () => {
    const policy = policyOf(
      "version: 1\nrules:\n" +
        ["b", "a", "B"].map((id) => `  - { id: ${id}, to: https://a.example }`).join("\n"),
    );
    expect(showDecision(judge(policy, "GET", "https://a.example/"))).toBe("allow by B");
  });

  test("settings come from the most specific one and grants from all", () => {
    const policy = policyOf(`
      version: 1
      rules:
        - { id: wide, to: https://**, addresses: [loopback], limits: { rate: 1/s, timeout: 1s }, redirects: follow, traceparent: true }
        - { id: narrow, to: https://a.example, addresses: [10.0.0.0/8], limits: { concurrent: 2 } }
    `);
    const decision = judge(policy, "GET", "https://a.example/");
    expect(decision).toMatchObject({
      effect: "allow",
      rule: { id: "narrow" },
      traceparent: false,
      limits: { concurrent: 2, timeoutMs: 30_000 },
    });
    expect("redirects" in decision).toBe(false);
    expect(decision.grants.key.trim()).toBe("10.0.0.0/8,loopback");
  });

  test("a literal grants its own address and a range of literals grants none", () => {
    const policy = policyOf(`
      version: 1
      rules:
        - { id: one, to: "http://10.0.0.1" }
        - { id: range, to: "http://10.0.0.0/8" }
        - { id: six, to: "https://[fd00::1]" }
    `);
    expect(judge(policy, "GET", "http://10.0.0.1/").grants.key.trim()).toBe("10.0.0.1/32");
    expect(judge(policy, "GET", "http://10.0.0.2/").grants.key).toBe("");
    expect(judge(policy, "GET", "https://[fd00::1]/").grants.key.trim()).toBe("fd00::1/128");
  });

  test("insecure:allow-all among them grants every address", () => {
    const policy = policyOf(
      `{ version: 1, rules: [{ id: a, to: insecure:allow-all }, { id: b, to: "https://a.example" }] }`,
    );
    expect(policy.allowsEverything).toBe(true);
    expect(judge(policy, "GET", "https://a.example/")).toMatchObject({
      rule: { id: "b" },
      grants: { everything: true },
    });
    expect(judge(policy, "GET", "http://127.0.0.1:1/")).toMatchObject({
      rule: { id: "a" },
      grants: { everything: true },
    });
  });
});

describe("the reason of a denial", () => {
  const https = policyOf(
    "{ version: 1, rules: [{ id: a, to: 'https://a.example', methods: [GET], paths: [/x] }, { id: b, to: 'https://**' }] }",
  );
  test("is the scheme when no allow rule has it", () => {
    expect(showDecision(judge(https, "GET", "http://a.example/"))).toBe("scheme_not_allowed");
    expect(showDecision(judge(https, "GET", "http://1.2.3.4/"))).toBe("scheme_not_allowed");
  });
  test("is the host when there is no allow rule at all", () => {
    for (const text of [
      "version: 1",
      "{ version: 1, rules: [] }",
      "{ version: 1, rules: [{ id: d, effect: deny, to: 'https://x.example' }] }",
    ]) {
      expect(showDecision(judge(policyOf(text), "GET", "http://a.example/"))).toBe("host_not_allowed");
      expect(showDecision(judge(policyOf(text), "GET", "http://[::1]/"))).toBe("ip_literal_not_allowed");
    }
  });
  test("is the furthest dimension over all rules and patterns", () => {
    const policy = policyOf(`
      version: 1
      rules:
        - { id: a, to: [https://a.example:8443, http://b.example], methods: [POST], paths: [/x] }
        - { id: b, to: https://a.example, methods: [PUT], paths: [/y] }
    `);
    expect(showDecision(judge(policy, "GET", "https://a.example/"))).toBe("method_not_allowed");
    expect(showDecision(judge(policy, "PUT", "https://a.example/"))).toBe("path_not_allowed");
    expect(showDecision(judge(policy, "POST", "https://a.example/x"))).toBe("method_not_allowed");
    expect(showDecision(judge(policy, "GET", "https://a.example:1/"))).toBe("port_not_allowed");
    expect(showDecision(judge(policy, "GET", "https://b.example/"))).toBe("host_not_allowed");
    expect(showDecision(judge(policy, "GET", "http://b.example:1/"))).toBe("port_not_allowed");
  });
});

describe("what no mode lifts", () => {
  test("report mode lifts rules and not forbidden methods", () => {
    const policy = policyOf("{ version: 1, mode: report }");
    expect(policy.mode).toBe("report");
    expect(judge(policy, "GET", "https://a.example/")).toMatchObject({
      effect: "deny",
      evenInReportMode: false,
    });
    expect(judge(policy, "TRACE", "https://a.example/")).toMatchObject({
      effect: "deny",
      evenInReportMode: true,
    });
  });

  test("a denial keeps the grants of the rules that would have allowed", () => {
    const policy = policyOf(`
      version: 1
      mode: report
      rules:
        - { id: a, to: https://a.example, addresses: [10.0.0.0/8] }
        - { id: d, effect: deny, to: https://a.example }
        - { id: e, effect: deny, to: https://a.example, addresses: [10.1.0.0/16] }
    `);
    const decision = judge(policy, "GET", "https://a.example/");
    expect(showDecision(decision)).toBe("rule_denied by d");
    expect(decision.grants.grants).toHaveLength(1);
    expect(decision.grants.denied.map(({ rule }) => rule.id)).toEqual(["e"]);
  });

  test("an evaluation that fails is a denial in every mode", () => {
    const broken = { method: "GET", destination: undefined } as unknown as PolicyRequest;
    expect(decide(weather, broken)).toMatchObject({
      effect: "deny",
      reason: "policy_error",
      evenInReportMode: true,
    });
  });

  test("a path of any length and depth gets a decision", () => {
    const deep = `https://api.weather.example${"/x".repeat(4_000)}`;
    expect(showDecision(judge(weather, "GET", deep))).toBe("path_not_allowed");
    const layered = `https://api.weather.example/%${"25".repeat(2_000)}41`;
    expect(showDecision(judge(weather, "GET", layered))).toBe("rule_denied by no-admin");
  });
});
