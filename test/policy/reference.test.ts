// The reference of the language says what the code does: its examples are good policies, its tables are the code's own.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { reasonTable } from "../../src/core/reason.ts";
import { formatProblem, parsePolicy } from "../../src/policy/document.ts";
import { languageKeys } from "../../src/policy/document-keys.ts";
import { guestLimitDefaults } from "../../src/policy/limits.ts";
import { namedRanges } from "../../src/policy/named-range.ts";
import { parsePathPattern, pathMatches, splitPath } from "../../src/policy/path-pattern.ts";
import { parsePattern } from "../../src/policy/pattern.ts";

const text = readFileSync(new URL("../../docs/policy.md", import.meta.url), "utf8");

/** Rows of the table whose first head cell is `head`, as texts of cells. */
function rowsOf(head: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  expect(start, head).toBeGreaterThan(-1);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

function codesOf(cell: string | undefined): readonly string[] {
  return [...(cell ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}

describe("docs/policy.md", () => {
  const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  for (const [index, example] of examples.entries()) {
    test(`example ${index + 1} is a policy without a finding`, () => {
      expect(parsePolicy(example, { lint: true }).problems.map(formatProblem)).toEqual([]);
    });
  }

  test("has examples", () => expect(examples.length).toBeGreaterThan(2));

  test("lists every key and no other", () => {
    for (const [head, keys] of [
      ["key of the document", languageKeys.document],
      ["key of a rule", languageKeys.rule],
      ["key", languageKeys.limits],
    ] as const) {
      expect(rowsOf(head).flatMap((row) => codesOf(row[0]))).toEqual(keys);
    }
  });

  test("gives the defaults that are in force", () => {
    const limits = rowsOf("key").map((row) => `${codesOf(row[0])[0]}: ${row[3]}`);
    const { policy } = parsePolicy(`version: 1\nlimits: { ${limits.join(", ")} }`);
    expect(policy?.limits).toEqual(guestLimitDefaults);
  });

  test("shows patterns that are understood as they stand", () => {
    const patterns = rowsOf("host | matches").flatMap((row) => codesOf(row[0]));
    expect(patterns).toHaveLength(9);
    for (const pattern of patterns) {
      const parsed = parsePattern(pattern);
      expect(parsed.ok && parsed.value.pattern.text).toBe(pattern);
    }
  });

  test("tells paths apart as the code does", () => {
    for (const [pattern, yes, no] of rowsOf("pattern")) {
      const parsed = parsePathPattern(codesOf(pattern)[0] ?? "");
      if (!parsed.ok) throw new Error(pattern);
      for (const path of codesOf(yes))
        expect(pathMatches(parsed.value.pattern, splitPath(path)), path).toBe(true);
      for (const path of codesOf(no))
        expect(pathMatches(parsed.value.pattern, splitPath(path)), path).toBe(false);
    }
  });

  test("lists the named ranges", () => {
    const listed = rowsOf("name").map(([name, ranges]) => [codesOf(name)[0], ranges]);
    expect(listed).toEqual(
      Object.entries(namedRanges).map(([name, ranges]) => [
        name,
        ranges.map((range) => range.text).join(", "),
      ]),
    );
  });

  test("lists the reasons of the policy stage but the gate's own", () => {
    const reasons = Object.entries(reasonTable).filter(
      ([code, { stage }]) => stage === "policy" && code !== "header_not_allowed",
    );
    expect(rowsOf("reason").map((row) => codesOf(row[0])[0])).toEqual([
      ...reasons.map(([code]) => code),
      "address_forbidden",
    ]);
  });

  test("has one title and quotes a problem as it is told", () => {
    expect(text.replace(/```[\s\S]*?```/g, "").match(/^# /gm)).toHaveLength(1);
    const document = "version: 1\nrules: []\n\n\n\n\n\nlimits:       { timeout: 5 }";
    const problems = parsePolicy(document, { file: "policies/weather.yaml" }).problems.map(formatProblem);
    expect(problems.some((problem) => text.includes(problem.split(": error: ")[1] ?? "nothing"))).toBe(true);
  });
});
