// Plain text for the demo: headings, a table, shortened lines. Colours appear on a terminal only.

import { stripVTControlCharacters, styleText } from "node:util";
import type { RequestSummary } from "../../src/index.ts";

/** Columns of the terminal; where there is none, enough for the whole table. */
export const widthColumns = Math.max(process.stdout.columns ?? 132, 60);

/** Whether standard output is a terminal that shows colours, and its user wants them. */
export const colours = process.stdout.isTTY === true && process.stdout.hasColors();

type Style = Parameters<typeof styleText>[0];

/** Text in a style, where there are colours. */
export function styled(style: Style, words: string): string {
  return colours ? styleText(style, words, { validateStream: false }) : words;
}

/** A heading with a line of explanation under it. */
export function heading(title: string, explanation: string): string {
  return `\n${styled("bold", title)}\n${styled("dim", explanation)}\n`;
}

/** Cuts a line to at most `columns`, and shows that it was cut. */
export function shorten(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(columns - 1, 0))}…`;
}

/** The requests of a run with their reasons, aligned. */
export function requestTable(summaries: readonly RequestSummary[]): string {
  // The titles of the narrow columns would be wider than what stands in them, and it speaks for itself.
  const head = ["", "reason", "rule", "", "", "url"];
  const rows = summaries.map((summary) => [
    summary.decision,
    reasonWithPlace(summary),
    summary.rule ?? "",
    summary.status?.toString() ?? "",
    summary.method,
    summary.url,
  ]);
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? title.length)),
  );
  const line = (cells: readonly string[]): string =>
    shorten(
      `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
      widthColumns,
    );
  return [
    styled("dim", line(head)),
    ...rows.map((row) => styled(row[0] === "allow" ? "green" : "red", line(row))),
  ].join("\n");
}

// The range says which address, the stage that it was not the first hop.
function reasonWithPlace({ reason, range, stage }: RequestSummary): string {
  const place = range ?? (stage === "redirect" ? stage : undefined);
  return place === undefined ? (reason ?? "") : `${reason} (${place})`;
}

/** Lines of any width, cut to the terminal's, colours and all. */
export function indented(lines: string): string {
  return lines
    .split("\n")
    .map((line) => {
      const plain = stripVTControlCharacters(line);
      return `  ${line.replace(plain, () => shorten(plain, widthColumns - 2))}`;
    })
    .join("\n");
}

/** What the audit log says of the run and of every denial, a line each, without the envelope that all records share. */
export function auditLines(jsonLines: readonly string[]): string {
  const shown = jsonLines.map((text) => JSON.parse(text) as AuditRecord).filter(isTelling);
  const lines = shown.map((record) => {
    const words = factNames
      .filter((name) => record[name] !== undefined && record[name] !== null)
      .map((name) => (plainNames.has(name) ? factText(record[name]) : `${name}=${factText(record[name])}`));
    const start = `${String(record.seq).padStart(4)}  ${String(record.type).padEnd(16)}`;
    return shorten(`  ${start}  ${words.join(" ")}`, widthColumns);
  });
  const left = jsonLines.length - shown.length;
  return [...lines, styled("dim", `  and ${left} more: lookups, allowed decisions, connections, ends`)].join(
    "\n",
  );
}

type AuditRecord = Readonly<Record<string, unknown>>;

function isTelling(record: AuditRecord): boolean {
  const type = String(record.type);
  return type === "request.decision" ? record.decision !== "allow" : !type.startsWith("request.");
}

const factNames = [
  ...["name", "guest", "rules", "method", "url", "decision", "reason", "range", "stage", "rule", "limit"],
  ...["status", "allowed", "denied", "failed", "records", "durability"],
];
const plainNames: ReadonlySet<string> = new Set(["name", "method", "url", "decision", "reason"]);

function factText(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .filter(([key]) => key !== "sha256")
    .map(([, part]) => factText(part))
    .join(" ");
}
