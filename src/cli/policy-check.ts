// `policy check`: every problem of every file, with its place and the spelling that would be right.
// It must never stop at the first problem or the first bad file.
import type { PolicyProblem } from "../index.ts";
import { formatProblem } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { didYouMean } from "./closest.ts";
import { exitStatus } from "./exit-status.ts";
import type { Mistake } from "./mistake.ts";
import { formatMistakes } from "./mistake.ts";
import { readPolicyProblems } from "./policy-file.ts";
import { paintFor, printable, writeError, writeOutput } from "./terminal.ts";

interface FileReport {
  readonly file: string;
  readonly rules: number | null;
  readonly problems: readonly PolicyProblem[];
}

/** 0 without errors, 1 with some, 2 when a file could not be read. */
export async function checkCommand(args: Arguments): Promise<number> {
  const format = args.has("json") ? "json" : (args.value("format") ?? "text");
  const mistakes: Mistake[] = [];
  if (format !== "text" && format !== "json") {
    mistakes.push({
      message: `--format ${printable(format)} is not known${didYouMean(format, ["text", "json"])}`,
      remedy: "write --format text or --format json",
    });
  }
  if (args.positionals.length === 0) {
    mistakes.push({
      message: "policy check needs a FILE",
      remedy: "write: sallyport policy check policies/*.yaml",
    });
  }
  if (mistakes.length > 0) {
    await writeError(formatMistakes(mistakes));
    return exitStatus.cannotRun;
  }
  const reports: FileReport[] = [];
  let unreadable = 0;
  for (const file of args.positionals) {
    const read = await readPolicyProblems(file, { lint: true });
    if (read.ok) {
      const { policy, problems } = read.value;
      reports.push({ file, rules: policy?.rules.length ?? null, problems });
    } else {
      unreadable += 1;
      await writeError(formatMistakes(read.mistakes));
    }
  }
  await writeOutput(format === "json" ? jsonText(reports) : reports.map(plainText).join(""));
  if (unreadable > 0) return exitStatus.cannotRun;
  return reports.some(({ problems }) => count(problems, "error") > 0) ? exitStatus.findings : exitStatus.good;
}

function count(problems: readonly PolicyProblem[], severity: PolicyProblem["severity"]): number {
  return problems.filter((problem) => problem.severity === severity).length;
}

function plainText({ file, rules, problems }: FileReport): string {
  const paint = paintFor(process.stdout);
  const errors = count(problems, "error");
  const warnings = count(problems, "warning");
  const lines = problems.map((problem) =>
    formatProblem(problem)
      .replace(": error: ", `: ${paint.red("error")}: `)
      .replace(": warning: ", `: ${paint.yellow("warning")}: `),
  );
  const verdict = errors > 0 ? paint.red("faulty") : paint.green("good");
  const parts = [
    rules === null ? undefined : quantity(rules, "rule"),
    errors === 0 ? undefined : quantity(errors, "error"),
    warnings === 0 ? undefined : quantity(warnings, "warning"),
  ].filter((part) => part !== undefined);
  return [
    ...lines,
    `${printable(file)}: ${verdict}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`,
    "",
  ].join("\n");
}

function quantity(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function jsonText(reports: readonly FileReport[]): string {
  const problems = reports.flatMap((report) =>
    report.problems.map((problem) => ({ ...problem, file: report.file })),
  );
  const document = {
    errors: count(problems, "error"),
    warnings: count(problems, "warning"),
    files: reports.map(({ file, rules, problems: own }) => ({
      file,
      rules,
      errors: count(own, "error"),
      warnings: count(own, "warning"),
    })),
    problems,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
