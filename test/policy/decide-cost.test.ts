// The cost of a decision does not grow with the number of rules: counted in look-ups, not timed.
import { describe, expect, test } from "vitest";
import { buildPolicy } from "../../src/policy/build-policy.ts";
import { decide } from "../../src/policy/decide.ts";
import { parsePathPattern } from "../../src/policy/path-pattern.ts";
import { parsePattern } from "../../src/policy/pattern.ts";
import type { Policy, Rule } from "../../src/policy/policy.ts";
import { destinationOf } from "../support/arbitraries.ts";

function makeRule(number: number, pattern: string, path?: string, methods?: readonly string[]): Rule {
  const parsed = parsePattern(pattern);
  const parsedPath = path === undefined ? undefined : parsePathPattern(path);
  if (!parsed.ok || parsedPath?.ok === false) throw new Error(`${pattern} ${path}`);
  return {
    id: `r${number}`,
    effect: "allow",
    to: [parsed.value.pattern],
    ...(parsedPath === undefined ? {} : { paths: [parsedPath.value.pattern] }),
    ...(methods === undefined ? {} : { methods }),
    addresses: [],
    limits: {},
    traceparent: false,
    place: { line: number, column: 1 },
  };
}

const shapes: readonly (readonly [string, (number: number) => Rule])[] = [
  ["exact names", (n) => makeRule(n, `https://h${n}.example`)],
  ["suffixes", (n) => makeRule(n, `https://**.s${n}.example`)],
  ["one label", (n) => makeRule(n, `https://*.s${n}.example`)],
  ["addresses", (n) => makeRule(n, `http://10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)],
  ["ranges", (n) => makeRule(n, `http://10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`)],
  ["ports of one name", (n) => makeRule(n, `https://one.example:${(n % 60_000) + 1_000}`)],
  ["paths of one name", (n) => makeRule(n, "https://one.example", `/v1/p${n}/**`)],
  ["methods of one name", (n) => makeRule(n, "https://one.example", undefined, [`M${n}`])],
  ["the same rule again and again", () => makeRule(0, "https://one.example")],
];

const requests: readonly (readonly [string, string])[] = [
  ["GET", "https://h3.example/"],
  ["GET", "https://a.s3.example/"],
  ["GET", "https://a.b.c.other.example/"],
  ["GET", "http://10.0.0.3/"],
  ["GET", "https://one.example:1003/"],
  ["GET", "https://one.example/v1/p3/x"],
  ["M3", "https://one.example/"],
  ["GET", "https://one.example/v2"],
];

/** Calls of Map.get, Map.has, Set.has and steps of array iterators while `work` runs. */
function countProbes(work: () => void): number {
  let probes = 0;
  const arrayIterator = Object.getPrototypeOf([][Symbol.iterator]()) as { next: () => unknown };
  const targets: readonly (readonly [object, string])[] = [
    [Map.prototype, "get"],
    [Map.prototype, "has"],
    [Set.prototype, "has"],
    [arrayIterator, "next"],
  ];
  const restore = targets.map(([target, name]) => {
    const original = Reflect.get(target, name) as (...given: unknown[]) => unknown;
    const counting = function (this: unknown, ...given: unknown[]): unknown {
      probes += 1;
      return Reflect.apply(original, this, given);
    };
    Reflect.set(target, name, counting);
    return () => Reflect.set(target, name, original);
  });
  try {
    work();
  } finally {
    for (const undo of restore) undo();
  }
  return probes;
}

function probesOf(policy: Policy): readonly number[] {
  return requests.map(([method, url]) => {
    const destination = destinationOf(url);
    return countProbes(() => decide(policy, { method, destination }));
  });
}

function policyOfShape(count: number, make: (number: number) => Rule): Policy {
  const rules = Array.from({ length: count }, (_, number) => ({ ...make(number), id: `r${number}` }));
  return buildPolicy({ name: "many", mode: "enforce", rules, limits: {} });
}

describe("the cost of decide", () => {
  for (const [name, make] of shapes) {
    test(`is the same for 10 and for 5,000 rules: ${name}`, () => {
      expect(probesOf(policyOfShape(5_000, make))).toEqual(probesOf(policyOfShape(10, make)));
    });
  }

  test("is the same for 10 and for 100,000 rules of every shape together", () => {
    const mixed = (number: number): Rule => {
      const [, make] = shapes[number % shapes.length] ?? shapes[0] ?? [];
      if (make === undefined) throw new Error("no shape");
      return make(number);
    };
    const [few, many] = [probesOf(policyOfShape(90, mixed)), probesOf(policyOfShape(100_000, mixed))];
    for (const [index, probes] of many.entries()) expect(probes).toBeLessThanOrEqual((few[index] ?? 0) + 4);
    expect(Math.max(...many)).toBeLessThan(60);
  });
});
