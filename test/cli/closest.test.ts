// Which word was meant: near ones are guessed, far ones are not.
import { expect, test } from "vitest";
import { closest } from "../../src/cli/closest.ts";

const words = ["run", "policy check", "policy explain", "policy schema", "--summary", "--policy"];

test.each([
  ["rnu", "run"],
  ["rum", "run"],
  ["policy chek", "policy check"],
  ["policy expalin", "policy explain"],
  ["--sumary", "--summary"],
  ["--sum", "--summary"],
])("%j is taken for %j", (word, meant) => {
  expect(closest(word, words)).toBe(meant);
});

test.each(["x", "serve", "policy import", "--otlp", ""])("%j is near to nothing", (word) => {
  expect(closest(word, words)).toBeUndefined();
});

test("a word of any length is compared in no time", () => {
  expect(closest("x".repeat(1_000_000), words)).toBeUndefined();
});
