// Text of strangers in records: bounded, one line, well-formed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundText, escapeControls, recordText } from "../../src/core/record-text.ts";

describe("record text", () => {
  const rows: readonly [string, string][] = [
    ["plain text stays", "plain text stays"],
    ["Bücher, 書籍 and 📚 stay", "Bücher, 書籍 and 📚 stay"],
    ["a\nb\r\u0000\u001b[31m", "a\\u{a}b\\u{d}\\u{0}\\u{1b}[31m"],
    ["\u009b31m", "\\u{9b}31m"],
    ["line\u2028end", "line\\u{2028}end"],
    ["gpj.\u202eexe", "gpj.\\u{202e}exe"],
    ["zero\u200bwidth", "zero\\u{200b}width"],
    ["half \ud83d", "half \\u{d83d}"],
    ["\u{e0041}", "\\u{e0041}"],
  ];
  test.each(rows)("%j is written as %j", (text, written) => {
    expect(escapeControls(text)).toBe(written);
  });

  test("a text that is cut ends in dots and never in half a character", () => {
    expect(boundText("123456", 6)).toBe("123456");
    expect(boundText("1234567", 6)).toBe("123...");
    expect(boundText("ab📚defg", 6)).toBe("ab...");
    expect(boundText("1234567", 2)).toBe("..");
  });

  test("what a record keeps is bounded, well-formed and printable, whatever comes", () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
    );
    fc.assert(
      fc.property(anything, fc.integer({ min: 3, max: 40 }), (text, lengthMax) => {
        const kept = recordText(text, lengthMax);
        expect(kept.length).toBeLessThanOrEqual(lengthMax);
        expect(kept.isWellFormed()).toBe(true);
        expect(kept).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
