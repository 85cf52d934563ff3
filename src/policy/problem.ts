// What is wrong or doubtful in a policy: where, why, and the spelling that would be right.
// Problems are values. Nothing here throws or prints, and no problem hides another one.

/** A place in a text; both counted from 1, columns in UTF-16 units as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Which kind of problem it is. Stable: tests and editors key on it. */
export type ProblemCode =
  | "syntax"
  | "yaml_feature"
  | "too_large"
  | "duplicate_key"
  | "unknown_key"
  | "missing_key"
  | "wrong_type"
  | "wrong_value"
  | "empty_list"
  | "invalid_id"
  | "duplicate_id"
  | "invalid_pattern"
  | "invalid_method"
  | "unknown_method"
  | "invalid_path"
  | "invalid_address"
  | "invalid_limit"
  | "insecure_allow_all"
  | "not_canonical"
  | "confusable_name"
  | "never_matches"
  | "wide_pattern"
  | "wide_grant"
  | "grant_missing"
  | "no_effect"
  | "nothing_passes"
  | "limit_cut"
  | "duplicate_entry"
  | "denies_everything";

/** One problem of a policy. A policy is in force only when no problem is an error. */
export interface PolicyProblem extends Place {
  readonly severity: "error" | "warning";
  readonly code: ProblemCode;
  readonly file?: string;
  /** Lower-case start, no full stop, input in backticks. */
  readonly message: string;
  /** What to write instead; reads on from `write:`. Empty when the message says it all. */
  readonly remedy: string;
  /** The offending text as it was written. */
  readonly text?: string;
}

/** What a parser of one value says about it; the caller knows the place. */
export interface Finding {
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy: string;
}

/** Gathers the problems of one document. */
export interface ProblemList {
  readonly problems: readonly PolicyProblem[];
  error(place: Place, finding: Finding, text?: string): void;
  warning(place: Place, finding: Finding, text?: string): void;
}

/** Starts an empty list; `file` goes into every problem. */
export function startProblems(file: string | undefined): ProblemList {
  const problems: PolicyProblem[] = [];
  const add = (
    severity: "error" | "warning",
    { line, column }: Place,
    finding: Finding,
    text?: string,
  ): void => {
    problems.push({
      severity,
      ...finding,
      ...(file === undefined ? {} : { file }),
      line,
      column,
      ...(text === undefined ? {} : { text }),
    });
  };
  return {
    problems,
    error: (place, finding, text) => add("error", place, finding, text),
    warning: (place, finding, text) => add("warning", place, finding, text),
  };
}

/** Whether a policy with these problems must not be used. */
export function hasErrors(problems: readonly PolicyProblem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** In the order of the text, errors before warnings at the same place. */
export function sortProblems(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  const severityOrder = { error: 0, warning: 1 };
  return problems.toSorted(
    (a, b) => a.line - b.line || a.column - b.column || severityOrder[a.severity] - severityOrder[b.severity],
  );
}

/** One problem for a terminal: `file:line:column: error: message`, then what to write. */
export function formatProblem(problem: PolicyProblem): string {
  const { file = "policy", line, column, severity, message, remedy } = problem;
  const head = `${file}:${line}:${column}: ${severity}: ${message}`;
  return remedy === "" ? head : `${head}\n    write: ${remedy}`;
}

const shownLengthMax = 80;

/** Text of a policy within a message: in backticks, on one line, bounded. */
export function shown(text: string): string {
  const cut = text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
  // JSON's escapes make control characters visible; a terminal must not obey a file.
  const escaped = JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"').replaceAll("\\\\", "\\");
  return `\`${escaped.replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escapeCodeUnit)}\``;
}

function escapeCodeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
