// Documents: what is read from good ones, and every problem of bad ones with its place and remedy.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { formatProblem, parsePolicy } from "../../src/policy/document.ts";
import { policyOf } from "../support/policies.ts";

/** Problems as `line:column severity code | remedy`. */
function problemsOf(text: string, lint = false): readonly string[] {
  const { policy, problems } = parsePolicy(text, { lint });
  expect(policy === undefined).toBe(problems.some(({ severity }) => severity === "error"));
  return problems.map(
    ({ line, column, severity, code, remedy }) => `${line}:${column} ${severity} ${code} | ${remedy}`,
  );
}

const example = `# yaml-language-server: $schema=./policy.schema.json
version: 1
name: weather-widget
mode: enforce                         # enforce (default) | report
rules:
  - id: forecast                      # unique; names the rule in spans, audit and explain
    to: https://api.weather.example   # one pattern or a list
    methods: [GET]                    # default: any but CONNECT, TRACE, TRACK
    paths: [/v1/forecast/**]          # default: any path
    limits: { rate: 60/min, burst: 10, concurrent: 2, requestBody: 64KiB, responseBody: 1MiB, timeout: 5s }
    redirects: follow                 # follow (10 hops at most) | return; default by guest kind, section 6
  - id: no-admin
    effect: deny                      # default: allow
    to: https://api.weather.example
    paths: [/v1/admin/**]
  - id: internal-cache
    to: http://cache.corp.example:8080
    addresses: [10.20.0.0/16]         # special-purpose addresses that this rule may reach
limits: { rate: 100/s, concurrent: 8, requests: 1000, timeout: 30s }   # the guest as a whole
`;

describe("a document", () => {
  test("of every key is read without a problem", () => {
    expect(problemsOf(example)).toEqual([]);
    expect(problemsOf(example.replaceAll("\n", "\r\n"))).toEqual([]);
    expect(problemsOf(`\uFEFF${example}`)).toEqual([]);
    const { rules, limits, name, mode, allowsEverything } = policyOf(example);
    expect({ name, mode, allowsEverything }).toEqual({
      name: "weather-widget",
      mode: "enforce",
      allowsEverything: false,
    });
    expect(limits).toMatchObject({
      rate: { count: 100, perMs: 1_000 },
      burst: 100,
      concurrent: 8,
      requests: 1_000,
      timeoutMs: 30_000,
    });
    expect(rules.map(({ id }) => id)).toEqual(["forecast", "internal-cache", "no-admin"]);
    expect(rules[0]).toMatchObject({
      effect: "allow",
      to: [{ text: "https://api.weather.example" }],
      methods: ["GET"],
      paths: [{ text: "/v1/forecast/**" }],
      limits: {
        rate: { count: 60, perMs: 60_000 },
        burst: 10,
        concurrent: 2,
        requestBodyBytes: 65_536,
        responseBodyBytes: 1_048_576,
        timeoutMs: 5_000,
      },
      redirects: "follow",
      traceparent: false,
      place: { line: 6, column: 5 },
    });
  });

  test("may be JSON, indented with tabs", () => {
    const json = JSON.stringify(
      { version: 1, rules: [{ id: "a", to: ["https://a.example"], limits: { rate: 0, requestBody: 0 } }] },
      undefined,
      "\t",
    );
    expect(problemsOf(json)).toEqual(["10:13 warning nothing_passes | no `rate`, for the default"]);
  });

  test("takes its name from the file when it has none", () => {
    expect(parsePolicy("version: 1", { file: "policies/weather.yaml" }).policy?.name).toBe("weather");
    expect(parsePolicy("version: 1", { file: "C:\\policies\\weather.JSON" }).policy?.name).toBe("weather");
    expect(parsePolicy("version: 1").policy?.name).toBe("policy");
  });

  test("may say a value once and name it again", () => {
    const policy = policyOf(`
      version: 1
      rules:
        - { id: a, to: https://a.example, limits: &small { concurrent: 2 } }
        - { id: b, to: https://b.example, limits: *small }
    `);
    expect(policy.rules.map(({ limits }) => limits.concurrent)).toEqual([2, 2]);
  });

  test("without rules denies everything and says so", () => {
    for (const text of ["version: 1\n", "version: 1\nrules:\n", "version: 1\nrules: []\n"]) {
      expect(problemsOf(text).map((line) => line.replace(/^\S+ /, ""))).toEqual([
        "warning denies_everything | a rule with `id` and `to`, if something is to be allowed",
      ]);
    }
  });
});

const head = "version: 1\nrules:\n";
function rule(body: string): string {
  return `${head}  - { id: a, to: https://a.example, ${body} }`;
}

const rows: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "an empty file",
    "",
    ["1:1 error missing_key | version: 1, which denies everything until `rules` allow something"],
  ],
  [
    "a file of comments",
    "# nothing\n",
    ["1:1 error missing_key | version: 1, which denies everything until `rules` allow something"],
  ],
  ["a list", "- id: a", ["1:1 error wrong_type | version: 1"]],
  ["a text", "https://a.example", ["1:1 error wrong_type | version: 1"]],
  ["no version", "rules: [{ id: a, to: https://a.example }]", ["1:1 error missing_key | version: 1"]],
  [
    "another version",
    `version: 2\nrules: [{ id: a, to: https://a.example }]`,
    ["1:10 error wrong_value | version: 1"],
  ],
  [
    "a version in quotation marks",
    `version: "1"\nrules: [{ id: a, to: https://a.example }]`,
    ["1:10 error wrong_type | version: 1"],
  ],
  [
    "a mode that is none",
    `mode: enforced\n${rule("redirects: follow")}`,
    ["1:7 error wrong_value | mode: enforce"],
  ],
  [
    "a name over two lines",
    `name: "a\\nb"\n${rule("redirects: follow")}`,
    ["1:7 error wrong_value | name: weather-widget"],
  ],
  ["a number as the name", `name: 7\n${rule("redirects: follow")}`, ['1:7 error wrong_type | "7"']],
  ["a key of no document", `polcy: x\n${rule("redirects: follow")}`, ["1:1 error unknown_key | name"]],
  [
    "a key of rules at the top",
    `methods: [GET]\n${rule("redirects: follow")}`,
    ["1:1 error unknown_key | `methods` within a rule"],
  ],
  [
    "a limit at the top",
    `timeout: 5s\n${rule("redirects: follow")}`,
    ["1:1 error unknown_key | limits: { timeout: … }"],
  ],
  [
    "rules that are a map",
    "version: 1\nrules: { a: 1 }",
    ["2:8 error wrong_type | rules:, and below it each rule after a `-`"],
  ],
  ["a rule that is a text", `${head}  - https://a.example`, ["3:5 error wrong_type | - id: forecast"]],
  [
    "a rule that is nothing",
    `${head}  -\n  - { id: a, to: https://a.example }`,
    ["3:4 error wrong_type | - id: forecast"],
  ],
  [
    "a rule without id",
    `${head}  - { to: https://a.example:8443 }`,
    ["3:5 error missing_key | id: a.example-8443"],
  ],
  ["a rule without to", `${head}  - { id: a }`, ["3:5 error missing_key | to: https://api.example.com"]],
  [
    "an id with a space",
    `${head}  - { id: my rule, to: https://a.example }`,
    ["3:11 error invalid_id | id: my-rule"],
  ],
  [
    "an id that is too long",
    `${head}  - { id: ${"a".repeat(65)}, to: https://a.example }`,
    [`3:11 error invalid_id | id: ${"a".repeat(64)}`],
  ],
  [
    "an id that starts with a hyphen",
    `${head}  - { id: -a, to: https://a.example }`,
    ["3:11 error invalid_id | id: a"],
  ],
  ["a number as an id", `${head}  - { id: 7, to: https://a.example }`, ['3:11 error wrong_type | "7"']],
  [
    "an id that is taken",
    `${rule("redirects: follow")}\n  - { id: a, to: https://b.example }`,
    ["4:11 error duplicate_id | id: a-2"],
  ],
  ["an effect that is none", rule("effect: Deny"), ["3:45 error wrong_value | effect: deny"]],
  ["a boolean as the effect", rule("effect: true"), ["3:45 error wrong_type | effect: allow"]],
  ["an empty to", `${head}  - { id: a, to: [] }`, ["3:18 error empty_list | to: https://api.example.com"]],
  ["nothing as to", `${head}  - id: a\n    to:\n`, ["4:5 error wrong_type | to: [https://api.example.com]"]],
  [
    "a wildcard that YAML takes for an alias",
    `${head}  - id: a\n    to: *.example.com\n`,
    ['4:9 error yaml_feature | "https://*.example.com", with its scheme'],
  ],
  [
    "an IPv6 pattern without quotation marks in a flow list",
    `${head}  - id: a\n    to: [https://[2001:db8::1]]\n`,
    [
      '4:18 error syntax | a value with brackets, braces or commas within a [list] in quotation marks: ["https://[2001:db8::1]:8443"]',
    ],
  ],
  ["empty methods", rule("methods: []"), ["3:46 error empty_list | methods: [GET], or no `methods` at all"]],
  ["nothing as methods", rule("methods:"), ["3:37 error wrong_type | methods: [GET]"]],
  ["one method that is no list", rule("methods: POST"), ["3:46 error wrong_type | methods: [POST]"]],
  ["a method in lower case", rule("methods: [get]"), ["3:47 warning unknown_method | GET"]],
  [
    "any method as a star",
    rule('methods: ["*"]'),
    ["3:47 error invalid_method | no `methods`, which is any of them"],
  ],
  [
    "two methods in one",
    rule('methods: ["GET, POST"]'),
    ["3:47 error invalid_method | methods: [GET, POST]"],
  ],
  ["a method with a slip", rule("methods: [GTE]"), ["3:47 warning unknown_method | GET"]],
  [
    "a method that is never allowed",
    rule("methods: [GET, TRACE]"),
    ["3:52 warning never_matches | the other methods"],
  ],
  ["a method twice", rule("methods: [GET, GET]"), ["3:52 warning duplicate_entry | it once"]],
  ["empty paths", rule("paths: []"), ["3:44 error empty_list | paths: [/v1/**], or no `paths` at all"]],
  ["nothing as paths", rule("paths: "), ["3:37 error wrong_type | paths: [/v1/**]"]],
  ["one path that is no list", rule("paths: /v1"), ["3:44 error wrong_type | paths: [/v1]"]],
  ["a path without slash", rule("paths: [v1]"), ["3:45 error invalid_path | /v1"]],
  [
    "empty addresses",
    rule("addresses: []"),
    ["3:48 error empty_list | addresses: [10.0.0.0/8], or no `addresses` at all"],
  ],
  [
    "an address with host bits",
    rule("addresses: [10.20.1.0/16]"),
    ["3:49 error invalid_address | 10.20.0.0/16"],
  ],
  [
    "every special address",
    rule('addresses: ["0.0.0.0/0"]'),
    ["3:49 warning wide_grant | the range that the name leads to"],
  ],
  [
    "a grant that is never honoured",
    rule('addresses: ["64:ff9b::/96"]'),
    ["3:49 warning never_matches | the IPv4 range itself"],
  ],
  ["a range in capitals", rule('addresses: ["FD00::/8"]'), ["3:49 warning not_canonical | fd00::/8"]],
  [
    "a redirect choice that is none",
    rule("redirects: followed"),
    ["3:48 error wrong_value | redirects: follow"],
  ],
  ["yes for true", rule("traceparent: yes"), ["3:50 error wrong_type | traceparent: true"]],
  ["a key of no rule", rule("method: [GET]"), ["3:37 error unknown_key | methods"]],
  [
    "a rule's port as a key",
    rule("port: 8443"),
    ["3:37 error unknown_key | to, whose patterns end with their port: https://api.example.com:8443"],
  ],
  ["a limit outside of limits", rule("timeout: 5s"), ["3:37 error unknown_key | limits: { timeout: … }"]],
  ["limits that are nothing", rule("limits:"), ["3:37 error wrong_type | limits: { rate: 60/min }"]],
  ["a limit that is none", rule("limits: { conccurent: 2 }"), ["3:47 error unknown_key | concurrent"]],
  ["a limit in snake case", rule("limits: { request_body: 1KiB }"), ["3:47 error unknown_key | requestBody"]],
  ["a limit as a list", rule("limits: { rate: [1/s] }"), ["3:53 error wrong_type | rate: 60/min"]],
  [
    "a size without unit",
    rule("limits: { requestBody: 1024 }"),
    ["3:60 error invalid_limit | requestBody: 1024B, 1024KiB, 1024MiB or 1024GiB"],
  ],
  [
    "a size in decimal units",
    rule("limits: { requestBody: 64KB }"),
    ["3:60 error invalid_limit | requestBody: 64KiB"],
  ],
  [
    "a size with a fraction",
    rule("limits: { requestBody: 1.5MiB }"),
    ["3:60 error invalid_limit | requestBody: 1536KiB"],
  ],
  [
    "a size with a space",
    rule("limits: { requestBody: 64 KiB }"),
    ["3:60 error invalid_limit | requestBody: 64KiB"],
  ],
  [
    "a size beyond counting",
    rule("limits: { requestBody: 99999999GiB }"),
    ["3:60 error invalid_limit | requestBody: 64KiB"],
  ],
  [
    "a negative size",
    rule("limits: { requestBody: -1KiB }"),
    ["3:60 error invalid_limit | requestBody: 64KiB"],
  ],
  [
    "a duration without unit",
    rule("limits: { timeout: 30 }"),
    ["3:56 error invalid_limit | timeout: 30ms, 30s, 30m or 30h"],
  ],
  [
    "a duration in minutes by another word",
    rule("limits: { timeout: 5min }"),
    ["3:56 error invalid_limit | timeout: 5m"],
  ],
  [
    "a duration in words",
    rule("limits: { timeout: 30 seconds }"),
    ["3:56 error invalid_limit | timeout: 30s"],
  ],
  ["a duration in days", rule("limits: { timeout: 2d }"), ["3:56 error invalid_limit | timeout: 5s"]],
  [
    "a rate without time",
    rule("limits: { rate: 10 }"),
    ["3:53 error invalid_limit | rate: 10/s, 10/min or 10/h"],
  ],
  [
    "a rate per minute by another word",
    rule("limits: { rate: 10/m }"),
    ["3:53 error invalid_limit | rate: 10/min"],
  ],
  ["a rate per ten seconds", rule("limits: { rate: 10/10s }"), ["3:53 error invalid_limit | rate: 60/min"]],
  [
    "a rate as requests per second",
    rule("limits: { rate: 10rps }"),
    ["3:53 error invalid_limit | rate: 10/s"],
  ],
  [
    "a count with a fraction",
    rule("limits: { concurrent: 2.0 }"),
    ["3:59 error invalid_limit | concurrent: 2"],
  ],
  [
    "a count in octal to some",
    rule("limits: { concurrent: 010 }"),
    ["3:59 error invalid_limit | concurrent: 10"],
  ],
  ["a count in hex", rule("limits: { concurrent: 0x10 }"), ["3:59 error invalid_limit | concurrent: 8"]],
  [
    "a count in quotation marks",
    rule('limits: { concurrent: "8" }'),
    ["3:59 error invalid_limit | concurrent: 8"],
  ],
  ["a negative count", rule("limits: { concurrent: -1 }"), ["3:59 error invalid_limit | concurrent: 8"]],
  ["unlimited", rule("limits: { concurrent: unlimited }"), ["3:59 error invalid_limit | concurrent: 8"]],
  ["zero in quotation marks", rule('limits: { timeout: "0" }'), ["3:56 error invalid_limit | timeout: 0"]],
  [
    "none of what everything needs",
    rule("limits: { concurrent: 0 }"),
    ["3:59 warning nothing_passes | no `concurrent`, for the default"],
  ],
  [
    "a limit wider than the guest's",
    `${rule("limits: { timeout: 2m, rate: 10/s }")}\nlimits: { timeout: 1m, rate: 1000/min }`,
    ["3:7 warning limit_cut | a `timeout` that fits within the guest's"],
  ],
  [
    "settings of a deny rule",
    `${rule("redirects: follow")}\n  - { id: d, effect: deny, to: https://d.example, limits: { rate: 1/s }, redirects: follow, traceparent: true }`,
    [
      "4:51 warning no_effect | the rule without `limits`",
      "4:74 warning no_effect | the rule without `redirects`",
      "4:93 warning no_effect | the rule without `traceparent`",
    ],
  ],
  [
    "deny rules alone",
    `${head}  - { id: d, effect: deny, to: https://d.example }`,
    ["2:1 warning denies_everything | a rule with `id` and `to`, if something is to be allowed"],
  ],
  [
    "localhost without a grant",
    `${head}  - { id: a, to: http://localhost:3000 }`,
    ["3:18 warning grant_missing | addresses: [loopback]"],
  ],
  [
    "a pattern twice in two spellings",
    `${head}  - { id: a, to: [https://a.example, https://A.example] }`,
    ["3:38 warning not_canonical | https://a.example", "3:38 warning duplicate_entry | it once"],
  ],
  [
    "insecure:allow-all",
    `${head}  - { id: a, to: insecure:allow-all }`,
    [
      "3:18 warning insecure_allow_all | the destinations that are needed, or https://** for every public-looking name",
    ],
  ],
  ["a key twice", `${rule("redirects: follow")}\nversion: 1`, ["4:1 error duplicate_key | one `version:`"]],
  [
    "a key of JSON twice",
    '{ "version": 1, "version": 1, "rules": [{ "id": "a", "to": "https://a.example" }] }',
    ["1:17 error duplicate_key | one `version:`"],
  ],
  [
    "a tag",
    `${rule("redirects: !!str follow")}`,
    ["3:54 error yaml_feature | the value without its `!` tag"],
  ],
  [
    "a merge key",
    `${head}  - &a { id: a, to: https://a.example }\n  - { <<: *a, id: b }`,
    [
      "4:5 error missing_key | to: https://api.example.com",
      "4:7 error yaml_feature | the keys themselves, or an alias of a whole value",
    ],
  ],
  [
    "an alias of nothing",
    rule("limits: *small"),
    ["3:45 error yaml_feature | &small at the value that is meant, above this line"],
  ],
  [
    "a directive",
    `%YAML 1.1\n---\n${rule("redirects: follow")}`,
    ["1:1 error yaml_feature | the document without its `%` lines"],
  ],
  [
    "two documents",
    `${rule("redirects: follow")}\n---\nversion: 1`,
    ["4:1 error syntax | one document in one file, without a second `---`"],
  ],
  ["tabs", "version: 1\nrules:\n\t- id: a", ["3:1 error syntax | spaces for the indentation"]],
];

describe("a problem", () => {
  for (const [title, text, expected] of rows) {
    test(`is told for ${title}`, () => expect(problemsOf(text)).toEqual(expected));
  }

  test("is an error for insecure:allow-all in lint, and in a deny rule a warning", () => {
    const allow = `${head}  - { id: a, to: insecure:allow-all }`;
    expect(problemsOf(allow, true).map((line) => line.split(" | ")[0])).toEqual([
      "3:18 error insecure_allow_all",
    ]);
    const deny = `${rule("redirects: follow")}\n  - { id: d, effect: deny, to: insecure:allow-all }`;
    expect(problemsOf(deny, true).map((line) => line.split(" | ")[0])).toEqual([
      "4:32 warning insecure_allow_all",
    ]);
  });

  test("never hides another one", () => {
    const bad = `version: 3
mode: off
rules:
  - id: a b
    to: [api.example, "https://*", https://ok.example/v1]
    methods: [get]
    paths: [x, /a?b]
    addresses: [nothing]
    limits: { rate: 1, timeout: 1, burts: 2 }
  - to: https://b.example
extra: 1
`;
    expect(problemsOf(bad).map((line) => line.split(" | ")[0])).toEqual([
      "1:10 error wrong_value",
      "2:7 error wrong_value",
      "4:9 error invalid_id",
      "5:10 error invalid_pattern",
      "5:23 error invalid_pattern",
      "5:36 error invalid_pattern",
      "6:15 warning unknown_method",
      "7:13 error invalid_path",
      "7:16 error invalid_path",
      "8:17 error invalid_address",
      "9:21 error invalid_limit",
      "9:33 error invalid_limit",
      "9:36 error unknown_key",
      "10:5 error missing_key",
      "11:1 error unknown_key",
    ]);
  });

  test("stands where its text stands", () => {
    for (const [title, text] of rows) {
      for (const problem of parsePolicy(text).problems) {
        const line = text.split("\n")[problem.line - 1] ?? "";
        const found = line
          .slice(problem.column - 1)
          .replace(/^["']|^<</, (quote) => (quote === "<<" ? quote : ""));
        if (problem.text !== undefined && !problem.text.includes("\n"))
          expect(found.startsWith(problem.text), title).toBe(true);
      }
    }
  });

  test("shows file, place, offending text and what to write", () => {
    const { problems } = parsePolicy(rule("limits: { timeout: 30 }"), { file: "policies/a.yaml" });
    expect(problems.map(formatProblem)).toEqual([
      "policies/a.yaml:3:56: error: `timeout`: `30` has no unit; a duration is a whole number with `ms`, `s`, `m` or `h`\n    write: timeout: 30ms, 30s, 30m or 30h",
    ]);
    expect(problems[0]?.text).toBe("30");
  });

  test("shows no control character of the file", () => {
    const { problems } = parsePolicy(rule('effect: "\\e[31mdeny\\u202e"'));
    expect(problems.map(formatProblem).join("")).toContain("`\\u001b[31mdeny\\u202e`");
  });
});

describe("a document made to do harm", () => {
  const laughs = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${[..."bcdefghij"]
    .map(
      (name, index) =>
        `${name}: &${name} [${Array.from({ length: 10 }, () => `*${"abcdefghij"[index]}`).join(", ")}]`,
    )
    .join("\n")}\n`;

  test("is told to be too large when its aliases stand for more than a policy has", () => {
    const patterns = Array.from({ length: 10_000 }, (_, index) => `https://h${index}.example`).join(", ");
    const rules = Array.from({ length: 500 }, (_, index) => `  - { id: r${index}, to: *all }`).join("\n");
    const text = `version: 1\nrules:\n  - { id: all, to: &all [${patterns}] }\n${rules}\n`;
    expect(problemsOf(text).map((line) => line.split(" | ")[0])).toEqual(["1:1 error too_large"]);
  });

  for (const [title, text] of [
    ["a billion laughs", laughs],
    ["endless nesting", "[".repeat(100_000)],
    ["nesting that ends", `${"[".repeat(1_000)}${"]".repeat(1_000)}`],
    ["an alias within its own anchor", "version: 1\nrules: &r [*r]"],
    ["more than a policy has", `# ${"x".repeat(bounds.policyBytesMax)}`],
    ["keys like those of every object", "version: 1\n__proto__: 1\nconstructor: 1\ntoString: 1"],
  ] as const) {
    test(`is refused in good time: ${title}`, () => expect(parsePolicy(text).policy).toBeUndefined());
  }
});
