// The JSON Schema: equal to the printed one, and of one mind with the parser about shapes.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../src/policy/document.ts";
import { languageKeys } from "../../src/policy/document-keys.ts";
import { limitExamples } from "../../src/policy/document-values.ts";
import { policySchema } from "../../src/policy/schema.ts";

const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(policySchema);

interface SchemaPart {
  readonly properties?: Readonly<
    Record<string, { readonly description?: string; readonly examples?: readonly unknown[] }>
  >;
}
const definitions = policySchema.$defs as Readonly<Record<string, SchemaPart>>;
const parts = [
  ["document", policySchema as SchemaPart],
  ["rule", definitions.rule ?? {}],
  ["limits", definitions.limits ?? {}],
] as const;

describe("the schema", () => {
  test("is what policies/policy.schema.json says, to the letter", () => {
    const printed = readFileSync(new URL("../../policies/policy.schema.json", import.meta.url), "utf8");
    expect(printed).toBe(`${JSON.stringify(policySchema, undefined, 2)}\n`);
  });

  for (const [place, part] of parts) {
    test(`has the keys of ${place} and no other, each with words about it`, () => {
      expect(Object.keys(part.properties ?? {})).toEqual(languageKeys[place]);
      for (const property of Object.values(part.properties ?? {}))
        expect(property.description ?? "").not.toBe("");
    });
  }

  test("has examples that are good documents", () => {
    for (const [place, part] of parts) {
      for (const [key, property] of Object.entries(part.properties ?? {})) {
        for (const value of property.examples ?? []) {
          const rule = { id: "a", to: "https://a.example" };
          const document =
            place === "document"
              ? { version: 1, [key]: value }
              : {
                  version: 1,
                  rules: [
                    place === "rule" ? { ...rule, [key]: value } : { ...rule, limits: { [key]: value } },
                  ],
                };
          expect(validate(document), `${key}: ${JSON.stringify(value)}`).toBe(true);
          expect(
            parsePolicy(JSON.stringify(document)).policy,
            `${key}: ${JSON.stringify(value)}`,
          ).toBeDefined();
        }
      }
    }
  });

  test("takes the limits that remedies show", () => {
    for (const [key, example] of Object.entries(limitExamples)) {
      const value = /^[0-9]+$/.test(example) ? Number(example) : example;
      expect(validate({ version: 1, limits: { [key]: value } }), key).toBe(true);
    }
  });
});

const rule = { id: "a", to: "https://a.example" };
const good: readonly (readonly [string, unknown])[] = [
  ["a version alone", { version: 1 }],
  ["no rules", { version: 1, rules: [] }],
  ["rules that are nothing", { version: 1, rules: null }],
  [
    "every kind of pattern",
    {
      version: 1,
      rules: [
        {
          id: "a",
          to: [
            "https://**",
            "HTTP://A.example:8080/",
            "http://10.0.0.0/8:*",
            "https://[2001:db8::/32]:1-2",
            "insecure:allow-all",
          ],
        },
      ],
    },
  ],
  [
    "every kind of address",
    { version: 1, rules: [{ ...rule, addresses: ["loopback", "10.0.0.1", "10.0.0.0/8", "fd00::/8"] }] },
  ],
  [
    "zero for everything",
    {
      version: 1,
      limits: {
        rate: 0,
        burst: 0,
        concurrent: 0,
        requests: 0,
        requestBody: 0,
        responseBody: 0,
        bytesOut: 0,
        bytesIn: 0,
        timeout: 0,
      },
    },
  ],
];
const bad: readonly (readonly [string, unknown])[] = [
  ["an empty document", null],
  ["a list", []],
  ["no version", { rules: [] }],
  ["another version", { version: 2 }],
  ["a version as text", { version: "1" }],
  ["an unknown key", { version: 1, rule: [] }],
  ["an unknown mode", { version: 1, mode: "audit" }],
  ["an empty name", { version: 1, name: "" }],
  ["rules as a map", { version: 1, rules: {} }],
  ["a rule as a text", { version: 1, rules: ["https://a.example"] }],
  ["a rule without id", { version: 1, rules: [{ to: "https://a.example" }] }],
  ["a rule without to", { version: 1, rules: [{ id: "a" }] }],
  ["an unknown key of a rule", { version: 1, rules: [{ ...rule, host: "x" }] }],
  ["a bad id", { version: 1, rules: [{ ...rule, id: "a b" }] }],
  ["a bad effect", { version: 1, rules: [{ ...rule, effect: "block" }] }],
  ["an empty to", { version: 1, rules: [{ ...rule, to: [] }] }],
  ["a pattern without scheme", { version: 1, rules: [{ ...rule, to: "a.example" }] }],
  ["a pattern with a user", { version: 1, rules: [{ ...rule, to: "https://u@a.example" }] }],
  ["a pattern with a query", { version: 1, rules: [{ ...rule, to: "https://a.example?x" }] }],
  ["empty methods", { version: 1, rules: [{ ...rule, methods: [] }] }],
  ["methods as a text", { version: 1, rules: [{ ...rule, methods: "GET" }] }],
  ["a method with a space", { version: 1, rules: [{ ...rule, methods: ["GET POST"] }] }],
  ["empty paths", { version: 1, rules: [{ ...rule, paths: [] }] }],
  ["a path without slash", { version: 1, rules: [{ ...rule, paths: ["v1"] }] }],
  ["a path with a query", { version: 1, rules: [{ ...rule, paths: ["/v1?x"] }] }],
  ["empty addresses", { version: 1, rules: [{ ...rule, addresses: [] }] }],
  ["an unknown range", { version: 1, rules: [{ ...rule, addresses: ["metadata"] }] }],
  ["a redirect choice", { version: 1, rules: [{ ...rule, redirects: true }] }],
  ["traceparent as a text", { version: 1, rules: [{ ...rule, traceparent: "true" }] }],
  ["limits that are null", { version: 1, limits: null }],
  ["an unknown limit", { version: 1, limits: { rps: 1 } }],
  ["a rate without time", { version: 1, limits: { rate: 10 } }],
  ["a rate per day", { version: 1, limits: { rate: "10/d" } }],
  ["a negative count", { version: 1, limits: { concurrent: -1 } }],
  ["a count as text", { version: 1, limits: { concurrent: "1" } }],
  ["a count with a fraction", { version: 1, limits: { concurrent: 1.5 } }],
  ["a size without unit", { version: 1, limits: { requestBody: 1 } }],
  ["a size in KB", { version: 1, limits: { requestBody: "1KB" } }],
  ["a duration without unit", { version: 1, limits: { timeout: 1 } }],
  ["a duration in minutes by another word", { version: 1, limits: { timeout: "1min" } }],
];

describe("schema and parser", () => {
  for (const [title, document] of good) {
    test(`both take ${title}`, () => {
      expect([validate(document), parsePolicy(JSON.stringify(document)).policy !== undefined]).toEqual([
        true,
        true,
      ]);
    });
  }
  for (const [title, document] of bad) {
    test(`both refuse ${title}`, () => {
      expect([validate(document), parsePolicy(JSON.stringify(document)).policy !== undefined]).toEqual([
        false,
        false,
      ]);
    });
  }
});
