// The canonical text: one for every spelling and order, another one for every change of meaning.
import { describe, expect, test } from "vitest";
import { policyOf } from "../support/policies.ts";

const base = `
version: 1
rules:
  - { id: a, to: [https://a.example, https://b.example], methods: [GET, POST], paths: [/x, "/y/**"], limits: { rate: 1/s, timeout: 1m } }
  - { id: b, effect: deny, to: https://c.example, addresses: [loopback, 10.0.0.0/8] }
limits: { concurrent: 2, timeout: 60s }
`;

const same: readonly (readonly [string, string])[] = [
  [
    "order and spelling",
    `
limits: { timeout: 60000ms, concurrent: 2 }
rules:
  - { addresses: [10.0.0.0/8, loopback], to: [https://C.example:443/], effect: deny, id: b, redirects: follow }
  - id: a
    effect: allow
    to: [https://B.example., https://a.example, https://a.example]
    methods: [POST, GET]
    paths: [/y/**, /%78]
    limits: { timeout: 60s, rate: 1/s }
    traceparent: false
version: 1
mode: enforce
`,
  ],
  ["a name and comments", `# a comment\nname: other\n${base}`],
];

const different: readonly (readonly [string, (text: string) => string])[] = [
  ["the mode", (text) => text.replace("version: 1", "version: 1\nmode: report")],
  ["an id", (text) => text.replace("id: a", "id: z")],
  ["an effect", (text) => text.replace("effect: deny, ", "")],
  ["a pattern", (text) => text.replace("https://a.example", "https://a.example:8443")],
  ["a method", (text) => text.replace("[GET, POST]", "[GET]")],
  ["any method", (text) => text.replace("methods: [GET, POST], ", "")],
  ["a path", (text) => text.replace("/x,", "/x/,")],
  ["an address", (text) => text.replace("loopback", "private")],
  ["a rule's limit", (text) => text.replace("timeout: 1m", "timeout: 61s")],
  ["a rate", (text) => text.replace("rate: 1/s", "rate: 60/min")],
  ["the guest's limit", (text) => text.replace("concurrent: 2", "concurrent: 3")],
  ["a setting", (text) => text.replace("limits: { rate", "traceparent: true, limits: { rate")],
];

describe("the canonical text", () => {
  for (const [title, text] of same) {
    test(`does not change with ${title}`, () =>
      expect(policyOf(text).canonical).toBe(policyOf(base).canonical));
  }
  for (const [title, change] of different) {
    test(`changes with ${title}`, () => {
      expect(change(base)).not.toBe(base);
      expect(policyOf(change(base)).canonical).not.toBe(policyOf(base).canonical);
    });
  }
});
