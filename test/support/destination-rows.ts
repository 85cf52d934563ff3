// Runs tables of URLs, one test a row, so that a failing row names itself.
import { expect, test } from "vitest";
import { parseDestination } from "../../src/url/destination.ts";

/** `expected` is "scheme host port path+query" or a reason. */
export type Row = readonly [text: string, expected: string, why: string];

/** One test for each row. */
export function testRows(rows: readonly Row[]): void {
  for (const [text, expected, why] of rows) {
    test(`${shorten(JSON.stringify(text))} is ${shorten(expected)}: ${why}`, () => {
      expect(show(text)).toBe(expected);
    });
  }
}

/** What the parser makes of an input, in one line. */
export function show(input: unknown): string {
  const parsed = parseDestination(input);
  if (!parsed.ok) return parsed.error.reason;
  const { scheme, hostText, port, path, query } = parsed.value;
  return `${scheme} ${hostText} ${port} ${path}${query}`;
}

/** A text of that many letters. */
export function letters(count: number): string {
  return "a".repeat(count);
}

function shorten(text: string): string {
  return text.length > 90 ? `${text.slice(0, 87)}...` : text;
}
