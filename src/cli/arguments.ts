// Reads one command's arguments by its description, and writes its help from the same description.
// Never guesses: what it does not know is a mistake with a suggestion.
import { parseArgs } from "node:util";
import { didYouMean } from "./closest.ts";
import type { Checked, Mistake } from "./mistake.ts";
import { good } from "./mistake.ts";
import { printable } from "./terminal.ts";

/** One option of a command. */
export interface OptionDescription {
  readonly name: string;
  readonly short?: string;
  /** What its value is, for the help text; absent for a switch. */
  readonly value?: string;
  /** May be given more than once. */
  readonly repeatable?: boolean;
  readonly help: string;
}

/** A command: its help text, and what its arguments may be. */
export interface CommandDescription {
  /** As typed, without the program: `policy check`. */
  readonly name: string;
  readonly synopsis: readonly string[];
  readonly purpose: string;
  readonly options: readonly OptionDescription[];
  readonly notes: readonly string[];
  readonly examples: readonly string[];
}

/** What a command line said. */
export interface Arguments {
  readonly help: boolean;
  has(name: string): boolean;
  /** The value of an option that is given at most once. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
  readonly positionals: readonly string[];
}

const helpOption: OptionDescription = { name: "help", short: "h", help: "show this text" };

/** Reads `args` as the description says; every mistake is reported at once. */
export function readArguments(command: CommandDescription, args: readonly string[]): Checked<Arguments> {
  const known = [...command.options, helpOption];
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      known.map((option) => [
        option.name,
        {
          type: option.value === undefined ? ("boolean" as const) : ("string" as const),
          ...(option.short === undefined ? {} : { short: option.short }),
        },
      ]),
    ),
  });
  const mistakes: Mistake[] = [];
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = known.find(({ name }) => name === token.name);
    const mistake =
      option === undefined
        ? unknownOption(command, known, token.rawName)
        : optionMistake(command, option, token, values.has(option.name));
    if (mistake !== undefined) mistakes.push(mistake);
    else values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? ""]);
  }
  if (mistakes.length > 0 && !values.has("help")) return { ok: false, mistakes };
  return good({
    help: values.has("help"),
    has: (name) => values.has(name),
    value: (name) => values.get(name)?.[0],
    values: (name) => values.get(name) ?? [],
    positionals,
  });
}

function unknownOption(
  command: CommandDescription,
  known: readonly OptionDescription[],
  rawName: string,
): Mistake {
  const names = known.flatMap(({ name, short }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  const guess = rawName.startsWith("--") ? didYouMean(rawName, names) : "";
  return {
    message: `${command.name} has no option ${printable(rawName)}${guess}`,
    remedy: command.synopsis.some((line) => line.includes("-- "))
      ? `see: sallyport ${command.name} --help; arguments for the guest that begin with - go after --`
      : `see: sallyport ${command.name} --help`,
  };
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function optionMistake(
  command: CommandDescription,
  option: OptionDescription,
  token: OptionToken,
  seen: boolean,
): Mistake | undefined {
  const written = token.rawName;
  if (option.value === undefined) {
    if (token.value === undefined) return undefined;
    return { message: `${written} takes no value`, remedy: `write ${written} alone` };
  }
  const { value } = token;
  if (value === undefined) {
    return {
      message: `${written} needs a value: ${option.value}`,
      remedy: `see: sallyport ${command.name} --help`,
    };
  }
  // `-p --summary` is a forgotten value far more often than a file called --summary.
  if (token.inlineValue !== true && /^-./.test(value)) {
    return {
      message: `${written} needs a value: ${option.value}, and ${printable(value)} looks like the next option`,
      remedy: `if it is the value, write --${option.name}=${printable(value)}`,
    };
  }
  if (seen && option.repeatable !== true) {
    return { message: `${written} is given more than once`, remedy: `give --${option.name} one time` };
  }
  return undefined;
}

/** The help text of a command. */
export function formatHelp(command: CommandDescription): string {
  const options = [...command.options, helpOption].map((option) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    const value = option.value === undefined ? "" : ` ${option.value}`;
    return [`  ${short}--${option.name}${value}`, option.help] as const;
  });
  const width = Math.min(34, Math.max(...options.map(([left]) => left.length)));
  const lines = [
    command.purpose,
    "",
    ...command.synopsis.map((line, index) => `${index === 0 ? "Usage: " : "       "}sallyport ${line}`),
    "",
    "Options:",
    ...options.flatMap(([left, help]) => {
      const [first, ...rest] = wrap(help, 110 - width - 2);
      const indented = rest.map((line) => `${" ".repeat(width + 2)}${line}`);
      return left.length > width
        ? [left, `${" ".repeat(width + 2)}${first ?? ""}`, ...indented]
        : [`${left.padEnd(width + 2)}${first ?? ""}`, ...indented];
    }),
    ...(command.notes.length === 0 ? [] : ["", ...command.notes.flatMap((note) => wrap(note, 110))]),
    "",
    command.examples.length === 1 ? "Example:" : "Examples:",
    ...command.examples.map((example) => `  ${example}`),
  ];
  return `${lines.join("\n")}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
