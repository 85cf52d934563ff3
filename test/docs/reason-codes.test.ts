// The tables of reasons in the documents, held against the code.
import { describe, expect, test } from "vitest";
import { reasonTable } from "../../src/core/reason.ts";
import { codeOfReason, errorCode } from "../../src/guest/experimental/error-code.ts";
import type { Reason } from "../../src/index.ts";
import { textOf } from "../tidy/source.ts";

const abi = textOf("docs/abi.md");

/** Rows of the first table behind a mark, cells trimmed. */
function rowsBehind(mark: string): string[][] {
  const [, behind = ""] = abi.split(mark);
  const lines = behind.split("\n");
  const first = lines.findIndex((line) => line.startsWith("|"));
  const table = lines.slice(first + 2);
  const end = table.findIndex((line) => !line.startsWith("|"));
  return table.slice(0, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("docs/abi.md", () => {
  test("has every code with its name", () => {
    const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const expected = Object.entries(errorCode).map(([name, code]) => [String(code), snake(name)]);
    expect(rowsBehind("### Codes").map(([code, name]) => [code, name])).toEqual(expected);
  });

  test("has every reason with its stage and code", () => {
    const expected = Object.entries(reasonTable).map(([reason, { stage }]) => [
      `\`${reason}\``,
      stage,
      String(codeOfReason[reason as Reason]),
    ]);
    expect(rowsBehind("<!-- reasons:begin -->")).toEqual(expected);
  });
});
