// Text on a terminal: nothing of a guest's drives it, and columns stand under one another.
import { describe, expect, test } from "vitest";
import { formatTable, printable } from "../../src/cli/terminal.ts";

describe("printable", () => {
  test.each([
    ["plain text", "plain text"],
    ["\u001b[2Jgone", "\\u{1b}[2Jgone"],
    ["a\r\nb", "a\\u{d}\\u{a}b"],
    ["\u009b31m", "\\u{9b}31m"],
    ["\u202eevil", "\\u{202e}evil"],
    ["\u2066x\u2069", "\\u{2066}x\\u{2069}"],
    ["a\u200bb", "a\\u{200b}b"],
    ["\ud800", "\\u{d800}"],
    ["bücher 日本 😀", "bücher 日本 😀"],
  ])("%j becomes %j", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

test("columns are as wide as their widest cell, numbers to the right, without blanks at the end", () => {
  expect(
    formatTable(
      ["METHOD", "N"],
      [
        ["GET", "1"],
        ["OPTIONS", "1000"],
      ],
      ["N"],
    ),
  ).toBe("METHOD      N\nGET         1\nOPTIONS  1000\n");
});
