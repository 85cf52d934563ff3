// The habits of this code base as tests, so that nobody has to remember them.
import { describe, expect, test } from "vitest";
import { codeOf, filesBelow, textOf } from "./source.ts";

const sources = filesBelow("src", ".ts");
const tests = filesBelow("test", ".ts");
const documents = ["README.md", "CHANGELOG.md", ...filesBelow("docs", ".md")];

describe("tidy", () => {
  test("a source file has at most 300 lines", () => {
    expect(sources.filter((file) => textOf(file).split("\n").length > 301)).toEqual([]);
  });

  test("a file opens with a comment that says what it is", () => {
    const opening = /^(#!.*\n)?\/\/ \S/;
    expect([...sources, ...tests].filter((file) => !opening.test(textOf(file)))).toEqual([]);
  });

  test("file names are kebab-case and say more than a drawer does", () => {
    const drawer = /(^|[-/.])(utils?|helpers?|common|types|manager|service|misc)\.ts$/;
    expect(sources.filter((file) => !/^src\/([a-z0-9-]+\/)*[a-z0-9-]+(\.d)?\.ts$/.test(file))).toEqual([]);
    expect(sources.filter((file) => drawer.test(file))).toEqual([]);
  });

  test("nothing silences the type checker", () => {
    const silenced = /@ts-(ignore|expect-error|nocheck)|\bas any\b|: any\b|<any>/;
    expect(sources.filter((file) => silenced.test(codeOf(textOf(file))))).toEqual([]);
  });

  test("no enum, no namespace, no default export", () => {
    const banned = /^\s*(export )?(const )?enum |^\s*(export )?namespace |^export default/m;
    expect(sources.filter((file) => banned.test(textOf(file)))).toEqual([]);
  });

  test("no test is focused or left out", () => {
    const left = /\b(it|test|describe)\.(only|skip|todo)\b/;
    expect(tests.filter((file) => !file.startsWith("test/tidy/") && left.test(textOf(file)))).toEqual([]);
  });

  test("nothing is left to be done later", () => {
    const later = /\b(TO-?DO|FIX-?ME|XXX)\b/;
    const files = [...sources, ...tests, ...documents].filter((file) => !file.startsWith("test/tidy/"));
    expect(files.filter((file) => later.test(textOf(file)))).toEqual([]);
  });

  test("no path of one machine is written down", () => {
    const machine = /\/(work|root|home)\/[a-z]/;
    const files = [...sources, ...tests, ...documents].filter((file) => !file.startsWith("test/tidy/"));
    expect(files.filter((file) => machine.test(textOf(file)))).toEqual([]);
  });

  test("a document has one title", () => {
    const titles = (text: string): number =>
      text
        .replace(/```[\s\S]*?```/g, "")
        .split("\n")
        .filter((line) => /^# /.test(line)).length;
    expect(documents.filter((file) => titles(textOf(file)) !== 1)).toEqual([]);
  });

  test("links between documents lead somewhere", () => {
    const known = new Set([
      ...documents,
      ...filesBelow("policies", ""),
      ...filesBelow("test", ""),
      ...sources,
      "LICENSE",
    ]);
    const broken = documents.flatMap((file) => {
      const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/") + 1) : "";
      return [...textOf(file).matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)]
        .map((match) => normalise(folder + (match[1] ?? "")))
        .filter((target) => !known.has(target) && ![...known].some((path) => path.startsWith(`${target}/`)))
        .map((target) => `${file}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});

function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
