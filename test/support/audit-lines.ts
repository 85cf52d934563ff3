// Reads what an audit log holds, as an operator's script would.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One record, as it was parsed. */
export type AuditLine = Readonly<Record<string, unknown>>;

/** All records of all logs in a folder, log by log. */
export function auditLines(dir: string): AuditLine[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => readFileSync(join(dir, name), "utf8").split("\n").slice(0, -1))
    .map((line) => JSON.parse(line) as AuditLine);
}

/** The records of one type. */
export function recordsOf(dir: string, type: string): AuditLine[] {
  return auditLines(dir).filter((line) => line.type === type);
}
