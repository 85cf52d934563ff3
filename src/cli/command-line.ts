// Finds the command, reads its arguments, runs it, and ends the process. Every way out of the program leads
// through here. A user never sees a stack trace: mistakes are sentences, our own faults are one line.
import type { Arguments, CommandDescription } from "./arguments.ts";
import { formatHelp, readArguments } from "./arguments.ts";
import { didYouMean } from "./closest.ts";
import { checkDescription, explainDescription, runDescription, schemaDescription } from "./descriptions.ts";
import { exitStatus } from "./exit-status.ts";
import { faultInWords } from "./input-file.ts";
import { formatMistakes } from "./mistake.ts";
import { packageVersion } from "./package-version.ts";
import { outputFault, printable, writeError, writeOutput } from "./terminal.ts";

/** What a command does with its arguments; returns the exit status. */
type Command = (args: Arguments) => Promise<number>;

interface Entry {
  readonly description: CommandDescription;
  readonly load: () => Promise<Command>;
}

// Loaded on demand: an engine, a tracing SDK and a YAML parser are not needed to print a help text.
const entries: readonly Entry[] = [
  { description: runDescription, load: async () => (await import("./run.ts")).runCommand },
  { description: checkDescription, load: async () => (await import("./policy-check.ts")).checkCommand },
  { description: explainDescription, load: async () => (await import("./policy-explain.ts")).explainCommand },
  { description: schemaDescription, load: async () => (await import("./policy-schema.ts")).schemaCommand },
];

/** Any interval will do; this one is the longest that a timer takes. */
const keepAliveMs = 2 ** 31 - 1;

/** Runs the command that `args` name, then ends the process with its exit status. Never rejects. */
export async function runCommandLine(args: readonly string[]): Promise<never> {
  // Compiling a module keeps no event loop alive by itself; this does, until the end below.
  setInterval(() => {}, keepAliveMs);
  let status: number;
  try {
    status = await dispatch(args);
  } catch (fault) {
    await writeError(formatInternalError(fault));
    status = exitStatus.cannotRun;
  }
  // What was written is out before the end; then the end does not wait for idle connections and timers.
  await Promise.all([writeOutput(""), writeError("")]);
  const fault = outputFault();
  if (fault !== undefined) {
    await writeError(`sallyport: standard output could not be written: ${faultInWords(fault)}\n`);
    status = exitStatus.cannotRun;
  }
  process.exit(status);
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) return complain(overview());
  if (first === "--help" || first === "-h") return print(overview());
  if (first === "--version" || first === "-V") return print(`sallyport ${packageVersion()}\n`);
  if (first === "help") return help(rest);
  if (first.startsWith("-")) {
    const guess = didYouMean(first, ["--help", "--version"]);
    return complain(
      formatMistakes([
        {
          message: `there is no option ${printable(first)} before a command${guess}`,
          remedy: "options go after the command, as in: sallyport run --summary guest.wasm",
        },
      ]),
    );
  }
  const entry = findEntry(args);
  if (entry === undefined) return unknownCommand(args);
  const command = entry.description;
  const read = readArguments(command, args.slice(command.name.split(" ").length));
  if (!read.ok) return complain(formatMistakes(read.mistakes));
  if (read.value.help) return print(formatHelp(command));
  const run = await entry.load();
  return run(read.value);
}

function findEntry(words: readonly string[]): Entry | undefined {
  return entries.find(({ description }) =>
    description.name.split(" ").every((word, index) => words[index] === word),
  );
}

function help(words: readonly string[]): Promise<number> {
  if (words.length === 0) return print(overview());
  const entry = findEntry(words);
  if (entry !== undefined) return print(formatHelp(entry.description));
  return words.join(" ") === "policy" ? print(groupOverview("policy")) : unknownCommand(words);
}

function unknownCommand(words: readonly string[]): Promise<number> {
  const [group = "", word] = words;
  const names = entries.map(({ description }) => description.name);
  if (group === "policy") {
    if (word === "--help" || word === "-h") return print(groupOverview("policy"));
    if (word === undefined) return complain(groupOverview("policy"));
  }
  // `sallyport check FILE` means `policy check`; anything else is matched word by word.
  const inner = names.find((name) => name.endsWith(` ${group}`));
  const guess =
    group === "policy" && word !== undefined
      ? didYouMean(`policy ${word}`, names)
      : inner === undefined
        ? didYouMean(group, ["run", "policy", "help"])
        : `, did you mean ${inner}?`;
  const asked = group === "policy" ? `policy ${word ?? ""}` : group;
  return complain(
    formatMistakes([
      {
        message: `there is no command ${printable(asked)} in this version${guess}`,
        remedy: `commands: ${names.join(", ")}; see: sallyport --help`,
      },
    ]),
  );
}

function overview(): string {
  return [
    "sallyport runs untrusted WebAssembly modules and gives them HTTP through one guarded gate.",
    "",
    "Usage: sallyport COMMAND [options]",
    "",
    "Commands:",
    ...commandLines(""),
    "",
    "Options:",
    "  -h, --help      show this text, or after a command the command's own",
    "  -V, --version   print the version",
    "",
    "Example:",
    "  sallyport run -a https://api.weather.example weather.wasm",
    "",
  ].join("\n");
}

function groupOverview(group: string): string {
  return [
    `Usage: sallyport ${group} COMMAND [options]`,
    "",
    "Commands:",
    ...commandLines(`${group} `),
    "",
    "Example:",
    "  sallyport policy check policies/weather.yaml",
    "",
  ].join("\n");
}

function commandLines(prefix: string): string[] {
  return entries
    .filter(({ description }) => description.name.startsWith(prefix))
    .map(({ description }) => `  ${description.name.padEnd(14)}  ${description.purpose}`);
}

async function print(text: string): Promise<number> {
  await writeOutput(text);
  return exitStatus.good;
}

async function complain(text: string): Promise<number> {
  await writeError(text);
  return exitStatus.cannotRun;
}

function formatInternalError(fault: unknown): string {
  if (process.env.SALLYPORT_DEBUG === "1") {
    return `sallyport: internal error: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}\n`;
  }
  const words = printable(fault instanceof Error ? fault.message : String(fault)).slice(0, 300);
  return `sallyport: internal error: ${words} (SALLYPORT_DEBUG=1 shows where; please report it)\n`;
}
