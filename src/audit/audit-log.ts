// The audit log: one process, one file, one writer. Never says that a record is kept before it is, and never lets a
// record that it refused stay in the file.

import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import { ulid } from "../core/identifier.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type AuditRecord, type LogGap, type LoggedRecord, recordLine, timestamp } from "./audit-record.ts";

/** Why a log was not opened, or a record not kept. For the operator. */
export interface AuditFault {
  readonly code: "open_failed" | "write_failed" | "queue_full" | "closed";
  /** The operating system's code where it has one (ENOSPC, EACCES), and what failed. */
  readonly detail: string;
}

/** Where records are kept. */
export interface AuditLog {
  /** ULID of the log, the first part of its file's name; empty when there is no log. */
  readonly id: string;
  /** Seq of the last record in the file; -1 when there is none. */
  head(): number;
  /**
   * Gives the record's seq once it is in the file, or why it is not there. Records are kept in the order of the calls.
   * Never rejects. On an idle log the record is in the file when the current job of the event loop is done.
   */
  append(record: AuditRecord): Promise<Result<number, AuditFault>>;
  /** Writes what waits and the last record, brings the file to the disk. May be called again; never rejects. */
  close(): Promise<void>;
}

/** What a log is opened with. */
export interface AuditLogOptions {
  /** Made, for this user alone, when it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  /** The program that the log names as its writer, and the machine that it runs on. */
  readonly program?: { readonly version: string; readonly host?: string };
}

interface Waiting {
  readonly record: LoggedRecord;
  readonly settle: (result: Result<number, AuditFault>) => void;
}

interface Lost {
  count: number;
  readonly since: string;
  readonly cause: string;
}

/**
 * Opens a new log in `dir`, as `<id>-000000.jsonl` with mode 0600. Every process has a log of its own, so that none
 * waits for another's lock.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<Result<AuditLog, AuditFault>> {
  const { dir, clock, program } = options;
  const id = ulid(clock);
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
  let file: number;
  try {
    makeFolder(dir);
    // O_EXCL follows no symbolic link: whoever can guess a name still cannot choose where the log goes.
    file = openSync(join(dir, `${id}-000000.jsonl`), O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
  } catch (fault) {
    return err({ code: "open_failed", detail: describeFault(fault) });
  }
  const { log, begin } = createLog(file, id, clock);
  const begun = await begin({
    type: "log.open",
    segment: 0,
    previous: null,
    host: program?.host ?? null,
    pid: process.pid,
    version: program?.version ?? null,
    node: process.version,
    durability: "write",
    on_error: "deny",
  });
  if (begun.ok) return ok(log);
  closeSync(file);
  return err({ code: "open_failed", detail: begun.error.detail });
}

/** Stands for a log where none is configured: keeps nothing and counts, so that callers need no second way. */
export function absentAuditLog(): AuditLog {
  let seq = -1;
  let closed = false;
  return {
    id: "",
    head: () => seq,
    append() {
      if (closed) return Promise.resolve(err(closedFault));
      seq += 1;
      return Promise.resolve(ok(seq));
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}

const closedFault: AuditFault = { code: "closed", detail: "the audit log is closed" };

// Node's own recursive mkdir goes round for ever where a file system says ENOENT to a parent that is there (/proc).
function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (fault) {
    const code = fault instanceof Error && "code" in fault ? fault.code : undefined;
    if (code === "EEXIST" && statSync(dir).isDirectory()) return;
    const parent = dirname(dir);
    if (code !== "ENOENT" || parent === dir || existsSync(parent)) throw fault;
    makeFolder(parent);
    mkdirSync(dir, { mode: 0o700 });
  }
}

function createLog(
  file: number,
  id: string,
  clock: Clock,
): {
  readonly log: AuditLog;
  readonly begin: (record: LoggedRecord) => Promise<Result<number, AuditFault>>;
} {
  let seq = -1;
  // INVARIANT (good offset): the file's first `goodBytes` bytes are whole records with seq 0 to `seq`. What lies behind
  // is the rest of a failed write and is cut off before anything else is written.
  let goodBytes = 0;
  let torn = false;
  let waiting: Waiting[] = [];
  let lost: Lost | undefined;
  let closing: Promise<void> | undefined;

  function enqueue(record: LoggedRecord): Promise<Result<number, AuditFault>> {
    if (waiting.length >= bounds.auditQueueRecordsMax) {
      lose(1, "queue_full");
      return Promise.resolve(
        err({ code: "queue_full", detail: "too many audit records wait to be written" }),
      );
    }
    const { promise, resolve } = Promise.withResolvers<Result<number, AuditFault>>();
    // A batch is whatever is appended until the running job ends: a microtask, since a request waits for its record.
    if (waiting.length === 0) queueMicrotask(writeBatch);
    waiting.push({ record, settle: resolve });
    return promise;
  }

  // Synchronous on purpose. A write to the page cache takes some 5 microseconds for a batch of a few records; the same
  // through the thread pool takes ten times that, before every single request, and waits behind the look-ups
  // of names that share the pool. The price is that a disk that hangs, hangs the process: it would hang every request
  // as well, since none goes out unrecorded.
  function writeBatch(): void {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    const gap = lost;
    const records: LoggedRecord[] = batch.map(({ record }) => record);
    if (gap !== undefined) records.unshift(gapRecord(gap));

    const written = writeRecords(records);
    if (!written.ok) {
      lose(batch.length, written.error);
      const fault: AuditFault = { code: "write_failed", detail: written.error };
      for (const { settle } of batch) settle(err(fault));
      return;
    }
    lost = undefined;
    const first = written.value + (gap === undefined ? 0 : 1);
    for (const [index, { settle }] of batch.entries()) settle(ok(first + index));
  }

  // All or nothing; gives the first record's seq.
  function writeRecords(records: readonly LoggedRecord[]): Result<number, string> {
    const first = seq + 1;
    try {
      if (torn) cutTail();
      // INVARIANT (seq in the writer): numbers are given here and not when records queue, so that a failed batch
      // leaves no hole and a gap's own record gets its place.
      const timeMs = clock.wallMs();
      const lines = records.map((record, index) =>
        recordLine({ log: id, seq: first + index, timeMs }, record),
      );
      const bytes = Buffer.from(lines.join(""), "utf8");
      torn = true;
      writeWhole(file, bytes);
      torn = false;
      goodBytes += bytes.length;
      seq += records.length;
      return ok(first);
    } catch (fault) {
      const detail = describeFault(fault);
      try {
        if (torn) cutTail();
      } catch {
        // The tail stays marked as torn; nothing is written until it could be cut off.
      }
      return err(detail);
    }
  }

  function cutTail(): void {
    ftruncateSync(file, goodBytes);
    torn = false;
  }

  function lose(count: number, cause: string): void {
    lost ??= { count: 0, since: timestamp(clock.wallMs()), cause };
    lost.count += count;
  }

  async function finish(): Promise<void> {
    writeBatch();
    const records: LoggedRecord[] = lost === undefined ? [] : [gapRecord(lost)];
    records.push({ type: "log.close", next: null, records: seq + 1 + records.length });
    // A log without its last record says by itself that something was wrong; there is nobody left to refuse.
    writeRecords(records);
    await new Promise<void>((resolve) => fdatasync(file, () => resolve()));
    try {
      closeSync(file);
    } catch {
      // As above.
    }
  }

  return {
    begin: enqueue,
    log: {
      id,
      head: () => seq,
      append: (record) => (closing === undefined ? enqueue(record) : Promise.resolve(err(closedFault))),
      close() {
        closing ??= finish();
        return closing;
      },
    },
  };
}

function gapRecord(lost: Lost): LogGap {
  return { type: "log.gap", lost: lost.count, since: lost.since, cause: lost.cause };
}

function writeWhole(file: number, bytes: Uint8Array): void {
  // POSIX write may take less than it was given, on a disk that is nearly full above all.
  for (let offset = 0; offset < bytes.length; ) {
    const written = writeSync(file, bytes, offset, bytes.length - offset);
    if (written <= 0) throw new Error("the file takes no more bytes");
    offset += written;
  }
}

// The code alone where there is one: messages of the operating system name paths.
function describeFault(fault: unknown): string {
  if (fault instanceof Error && "code" in fault && typeof fault.code === "string") return fault.code;
  return fault instanceof Error ? fault.message : String(fault);
}
