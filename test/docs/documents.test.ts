// Runs what the documents show: every command with its output, every policy, every program.
// A block that is marked `ignore` is shown elsewhere in the tests or needs what a test must not have.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parsePolicy } from "../../src/index.ts";
import { filesBelow, root, textOf } from "../tidy/source.ts";
import { blocksOf } from "./blocks.ts";

const blocks = ["README.md", ...filesBelow("docs", ".md")].flatMap(blocksOf);
const shown = blocks.filter(({ note }) => !note.startsWith("ignore"));

/** What a command prints on both outputs, as a reader sees it. */
function outputOf(command: string, cwd = root): string {
  const words = command.split(/\s+/).slice(2);
  const child = spawnSync(process.execPath, [join(root, "src/cli/main.ts"), ...words], {
    cwd,
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  return `${child.stdout}${child.stderr}`.trimEnd();
}

describe("commands", () => {
  const commands = shown
    .filter(({ language }) => language === "sh")
    .flatMap((block) =>
      block.text
        .split("\n")
        .filter((line) => line.startsWith("npx sallyport"))
        .map((line) => ({ line, block, where: `${block.file}:${String(block.line)}` })),
    );

  test("the README shows some", () => {
    expect(commands.length).toBeGreaterThan(3);
  });

  test.each(commands)("$where prints what stands below it", ({ line, block }) => {
    const output = outputOf(line);
    expect(output).not.toMatch(/\n\s+at .*:\d+:\d+/);
    if (block.next?.language === "text") expect(output).toBe(block.next.text);
  });

  test.each(shown.filter(({ language, text }) => language === "sh" && text.includes("npm ")))(
    "$file:$line names scripts that exist",
    ({ text }) => {
      const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
      const named = [...text.matchAll(/npm (?:run )?(?:--silent )?([a-z]+)/g)].map(([, name]) => name ?? "");
      expect(named.filter((name) => name !== "ci" && !(name in scripts))).toEqual([]);
    },
  );
});

describe("policies", () => {
  const policies = shown.filter(({ language, text }) => language === "yaml" && /^version:/m.test(text));

  test.each(policies)("$file:$line is a good policy", ({ text }) => {
    const { problems } = parsePolicy(text);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });
});

describe("programs", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-docs-"));
    cpSync(join(root, "policies"), join(folder, "policies"), { recursive: true });
    cpSync(join(root, "node_modules/@opentelemetry"), join(folder, "node_modules/@opentelemetry"), {
      recursive: true,
    });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(shown.filter(({ language }) => language === "ts"))("$file:$line runs", ({ text, line }) => {
    const guest = join(root, "test/guest/programs/c/command.wasm");
    const prelude = `import { readFileSync } from "node:fs";\nconst wasm = readFileSync(${JSON.stringify(guest)});\n`;
    const index = pathToFileURL(join(root, "src/index.ts")).href;
    const file = join(folder, `block-${String(line)}.ts`);
    writeFileSync(file, prelude + text.replaceAll('"sallyport"', JSON.stringify(index)));
    const child = spawnSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
    expect(child.stderr).toBe("");
    expect(child.status).toBe(0);
  });
});
