// What a run tells its operator about the guest's requests: a block for each denial as it happens, and at the
// end the table of --summary and the JSON of --report. Only redacted URLs ever come here.
import type { Policy, Reason, RequestSummary } from "../index.ts";
import { reasonTable } from "../index.ts";
import type { PolicySource } from "./advice.ts";
import { adviceFor } from "./advice.ts";
import type { Paint } from "./terminal.ts";
import { formatTable, printable } from "./terminal.ts";

/** Blocks that are printed one by one; a guest in a loop must not bury everything else. */
const blocksMax = 20;

/** Requests kept for the table and the report; beyond that only their number is. */
const requestsMax = 100_000;

/** Collects a run's requests. */
export interface RequestLog {
  /** Takes a finished request; returns the block to print, if any. */
  add(summary: RequestSummary): string | undefined;
  /** How many blocks were not printed, as a sentence. */
  closing(): string | undefined;
  table(): string;
  report(exit: number): string;
}

/** Opens an empty log. */
export function openRequestLog(policy: Policy, source: PolicySource, paint: Paint): RequestLog {
  const kept: RequestSummary[] = [];
  let seen = 0;
  let blocks = 0;
  // They come as they end; who reads them has the guest's order in mind.
  const inOrder = (): RequestSummary[] => kept.toSorted((a, b) => a.seq - b.seq);
  return {
    add(summary) {
      seen += 1;
      if (kept.length < requestsMax) kept.push(summary);
      if (!isWorthABlock(summary)) return undefined;
      blocks += 1;
      return blocks > blocksMax ? undefined : formatBlock(summary, policy, source, paint);
    },
    closing() {
      const hidden = blocks - blocksMax;
      if (hidden <= 0) return undefined;
      const more = hidden === 1 ? "1 more request was" : `${hidden} more requests were`;
      return `sallyport: ${more} denied or failed; --summary or --report FILE lists them\n`;
    },
    table: () => formatSummary(inOrder(), seen, paint),
    report(exit) {
      const requests = inOrder().map(reportEntry);
      const omitted = seen - kept.length;
      const report = omitted === 0 ? { exit, requests } : { exit, requests, omitted };
      return `${JSON.stringify(report, undefined, 2)}\n`;
    },
  };
}

function isWorthABlock({ decision, reason }: RequestSummary): boolean {
  if (decision !== "allow") return true;
  // What the guest itself dropped is no trouble of the operator's.
  return reason !== undefined && reasonTable[reason].kind !== "cancel";
}

function formatBlock(summary: RequestSummary, policy: Policy, source: PolicySource, paint: Paint): string {
  const { method, url, reason, rule, address, range, detail, limit } = summary;
  const lines = [`sallyport: ${headline(summary, paint)} ${printable(method)} ${printable(url)}`];
  if (summary.deniedUrl !== undefined) lines.push(`redirected to: ${printable(summary.deniedUrl)}`);
  if (reason !== undefined) {
    lines.push(`reason: ${reasonTable[reason].sentence} (${reason})`);
    if (detail !== undefined && detail !== "") lines.push(`detail: ${printable(detail).slice(0, 300)}`);
  }
  if (limit !== undefined) lines.push(`limit: ${printable(limit.name)} ${limit.value}`);
  if (address !== undefined) lines.push(`address: ${printable(address)}, range ${range ?? "unknown"}`);
  if (rule !== undefined) lines.push(`rule: ${ruleInWords(rule, reason, range, policy, source)}`);
  if (reason !== undefined) {
    const advice = adviceFor({ ...summary, reason }, source);
    if (advice !== undefined) lines.push(`to do: ${printable(advice)}`);
  }
  return `${lines.join("\n  ")}\n`;
}

function headline({ decision }: RequestSummary, paint: Paint): string {
  if (decision === "deny") return paint.red("denied");
  return decision === "would_deny" ? paint.yellow("would be denied (report only):") : paint.yellow("failed");
}

function ruleInWords(
  id: string,
  reason: Reason | undefined,
  range: RequestSummary["range"],
  policy: Policy,
  source: PolicySource,
): string {
  const denies = reason === "rule_denied" || range === "denied_by_rule";
  const role = denies ? "denies it" : "allows the destination";
  return `${ruleWithPlace(id, policy, source)} ${role}`;
}

/** A rule's id with its place in the policy file, where there is one. */
export function ruleWithPlace(id: string, policy: Policy, source: PolicySource): string {
  const rule = policy.rules.find((candidate) => candidate.id === id);
  if (rule === undefined || source.kind !== "file") return printable(id);
  return `${printable(id)} (${source.file}:${rule.place.line}:${rule.place.column})`;
}

const head = ["METHOD", "URL", "DECISION", "REASON", "RULE", "STATUS", "HOPS", "OUT", "IN", "MS"];

function formatSummary(kept: readonly RequestSummary[], seen: number, paint: Paint): string {
  if (seen === 0) return "sallyport: the guest made no requests\n";
  const rows = kept.map((one) => [
    printable(one.method),
    shorten(printable(one.url), 72),
    one.decision,
    one.reason ?? "-",
    one.rule === undefined ? "-" : shorten(printable(one.rule), 32),
    one.status === undefined ? "-" : String(one.status),
    String(one.hops),
    String(one.bytesOut),
    String(one.bytesIn),
    String(Math.round(one.durationMs)),
  ]);
  const [title = "", ...lines] = formatTable(head, rows, ["STATUS", "HOPS", "OUT", "IN", "MS"]).split(
    /(?<=\n)/,
  );
  const more = seen > kept.length ? `sallyport: and ${seen - kept.length} more requests\n` : "";
  return `${paint.dim(title.trimEnd())}\n${lines.join("")}${more}`;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

function reportEntry(one: RequestSummary): Readonly<Record<string, string | number | null>> {
  return {
    method: one.method,
    url: one.url,
    decision: one.decision,
    reason: one.reason ?? null,
    stage: one.stage ?? null,
    rule: one.rule ?? null,
    status: one.status ?? null,
    hops: one.hops,
    bytesOut: one.bytesOut,
    bytesIn: one.bytesIn,
    durationMs: Math.round(one.durationMs * 1_000) / 1_000,
  };
}
