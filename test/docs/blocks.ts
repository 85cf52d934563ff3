// The fenced blocks of a document, so that tests can run what it shows.
import { textOf } from "../tidy/source.ts";

/** One fenced block. */
export interface Block {
  readonly file: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language, such as `ignore`. */
  readonly note: string;
  readonly text: string;
  /** The block that follows with nothing but blank lines between. */
  readonly next: Block | undefined;
}

/** All blocks of a file, in order. */
export function blocksOf(file: string): Block[] {
  const lines = textOf(file).split("\n");
  const found: (Omit<Block, "next"> & { readonly end: number })[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^```(\w+) ?(.*)$/.exec(lines[index] ?? "");
    if (fence === null) continue;
    const end = lines.indexOf("```", index + 1);
    const text = lines.slice(index + 1, end).join("\n");
    found.push({ file, line: index + 1, language: fence[1] ?? "", note: fence[2] ?? "", text, end });
    index = end;
  }
  return found.map((block, index) => {
    const next = found[index + 1];
    const adjacent =
      next !== undefined && lines.slice(block.end + 1, next.line - 1).every((line) => line === "");
    return { ...block, next: adjacent ? { ...next, next: undefined } : undefined };
  });
}
