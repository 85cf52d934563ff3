// Finished spans as a tree for a terminal: who called whom, when, for how long, and in words why not.
// Never trusts what spans hold: their text is escaped and cut, and a cycle of parents ends.

import { bounds } from "../core/bounds.ts";
import { type Reason, reasonTable } from "../core/reason.ts";
import { recordText } from "../core/record-text.ts";
import { keys } from "./attributes.ts";

/** What the tree reads of a span; the SDK's ReadableSpan is one. */
export interface FinishedSpan {
  readonly name: string;
  readonly spanContext: () => { readonly traceId: string; readonly spanId: string };
  readonly parentSpanContext?: { readonly spanId: string } | undefined;
  /** Seconds and nanoseconds. */
  readonly startTime: readonly [number, number];
  readonly endTime: readonly [number, number];
  /** 2 is Error. */
  readonly status: { readonly code: number };
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** How the tree is drawn. */
export interface SpanTreeOptions {
  /** ANSI colours; default: false. */
  readonly colours?: boolean;
  /** Characters of a time bar; default: 24. */
  readonly barWidth?: number;
}

interface Row {
  readonly label: string;
  readonly span: FinishedSpan;
  /** The root of its tree: its times are what the bar spans. */
  readonly root: FinishedSpan;
}

const spanStatusError = 2;
const labelLengthMax = 56;
const urlLengthMax = 64;
const wordsLengthMax = 240;
const barWidthDefault = 24;

/** Draws every tree of the given spans, one line a span, in the order of their starts; ends without a line break. */
export function printSpanTree(spans: readonly FinishedSpan[], options: SpanTreeOptions = {}): string {
  const rows = layRows(spans);
  const labelWidth = rows.reduce((width, row) => Math.max(width, row.label.length), 0);
  return rows.map((row) => printRow(row, labelWidth, options)).join("\n");
}

function layRows(spans: readonly FinishedSpan[]): Row[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const children = new Map<string, FinishedSpan[]>();
  const roots: FinishedSpan[] = [];
  for (const span of spans.toSorted((one, other) => startMs(one) - startMs(other))) {
    const parentId = span.parentSpanContext?.spanId;
    // A parent that is not among the spans belongs to the embedder.
    if (parentId === undefined || !ids.has(parentId)) roots.push(span);
    else children.getOrInsertComputed(parentId, () => []).push(span);
  }

  const rows: Row[] = [];
  const laid = new Set<FinishedSpan>();
  const lay = (span: FinishedSpan, root: FinishedSpan, lead: string, branch: string, below: string): void => {
    if (laid.has(span)) return;
    laid.add(span);
    rows.push({ label: cut(`${lead}${branch}${span.name}`, labelLengthMax), span, root });
    const own = children.get(span.spanContext().spanId) ?? [];
    for (const [index, child] of own.entries()) {
      const last = index === own.length - 1;
      lay(child, root, lead + below, last ? "└─ " : "├─ ", last ? "   " : "│  ");
    }
  };
  for (const root of roots) lay(root, root, "", "", "");
  // What no root leads to is its own ancestor; it is shown rather than lost.
  for (const span of spans) lay(span, span, "", "", "");
  return rows;
}

function printRow({ label, span, root }: Row, labelWidth: number, options: SpanTreeOptions): string {
  const bar = drawBar(span, root, options.barWidth ?? barWidthDefault);
  const duration = `${(endMs(span) - startMs(span)).toFixed(1)} ms`.padStart(11);
  const words = wordsOf(span);
  const line = `${label.padEnd(labelWidth)}  ${bar} ${duration}${words === "" ? "" : `  ${words}`}`;
  return options.colours === true ? colour(line, span) : line;
}

// Eighths of a block would be finer, but not every terminal font has them.
function drawBar(span: FinishedSpan, root: FinishedSpan, width: number): string {
  const originMs = startMs(root);
  const wholeMs = Math.max(endMs(root) - originMs, Number.EPSILON);
  const place = (timeMs: number): number =>
    Math.min(Math.max(Math.round(((timeMs - originMs) / wholeMs) * width), 0), width);
  const from = Math.min(place(startMs(span)), width - 1);
  const to = Math.max(place(endMs(span)), from + 1);
  return `${"·".repeat(from)}${"█".repeat(to - from)}${"·".repeat(width - to)}`;
}

function wordsOf(span: FinishedSpan): string {
  const read = (key: string): string | undefined => {
    const value = span.attributes[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const words: string[] = [];
  const allowed = read(keys.requestsAllowed);
  if (allowed !== undefined) {
    words.push(
      `${allowed} allowed, ${read(keys.requestsDenied)} denied, ${read(keys.requestsFailed)} failed`,
    );
  }
  // The first hop goes where its request says; later ones go where a redirect led.
  const elsewhere = read(keys.outcome) !== undefined || read(keys.httpResendCount) !== undefined;
  const url = read(keys.urlFull);
  if (elsewhere && url !== undefined) words.push(cut(url, urlLengthMax));
  const status = read(keys.httpStatus);
  if (status !== undefined) words.push(`-> ${status}`);
  const reason = read(keys.reason);
  if (reason !== undefined) words.push(reasonInWords(reason, read(keys.addressRange), read(keys.deniedUrl)));
  if (read(keys.decision) === "would_deny") words.push("(would be denied; the policy only reports)");
  return cut(words.join(" "), wordsLengthMax);
}

function reasonInWords(reason: string, range: string | undefined, deniedUrl: string | undefined): string {
  const sentence = Object.hasOwn(reasonTable, reason) ? `: ${reasonTable[reason as Reason].sentence}` : "";
  const where = [range, deniedUrl].filter((part) => part !== undefined).join(", ");
  return `${reason}${where === "" ? "" : ` (${where})`}${sentence}`;
}

function colour(line: string, span: FinishedSpan): string {
  if (span.status.code === spanStatusError) return `\u001b[31m${line}\u001b[39m`;
  if (span.attributes[keys.decision] === "would_deny") return `\u001b[33m${line}\u001b[39m`;
  return line;
}

function cut(text: string, lengthMax: number): string {
  return recordText(text, Math.min(lengthMax, bounds.recordTextMax));
}

function startMs(span: FinishedSpan): number {
  return span.startTime[0] * 1000 + span.startTime[1] / 1e6;
}

function endMs(span: FinishedSpan): number {
  return span.endTime[0] * 1000 + span.endTime[1] / 1e6;
}
