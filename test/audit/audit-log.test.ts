// The log and its file: order, acknowledgement, bounds, permissions.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AuditLog, absentAuditLog, openAuditLog } from "../../src/audit/audit-log.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { lookup, readLog, temporaryDir } from "./records.ts";

async function openLog(dir: string): Promise<AuditLog> {
  const opened = await openAuditLog({
    dir,
    clock: fakeClock(),
    program: { version: "1.2.3", host: "machine" },
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

describe("openAuditLog", () => {
  test("the folder is for this user alone, and so is the file, which is named after the log", async () => {
    await using temporary = await temporaryDir();
    const dir = join(temporary.path, "deep", "audit");
    const log = await openLog(dir);
    const { file } = readLog(dir);
    expect(file).toBe(join(dir, `${log.id}-000000.jsonl`));
    expect(log.id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await log.close();
  });

  test("the first record tells of the log, the last one that it was closed", async () => {
    await using temporary = await temporaryDir();
    const log = await openLog(temporary.path);
    expect(log.head()).toBe(0);
    expect(await log.append(lookup(0))).toEqual({ ok: true, value: 1 });
    expect(log.head()).toBe(1);
    await log.close();
    expect(readLog(temporary.path).lines).toEqual([
      {
        v: 1,
        log: log.id,
        seq: 0,
        ts: "2026-01-01T00:00:00.000Z",
        type: "log.open",
        segment: 0,
        previous: null,
        host: "machine",
        pid: process.pid,
        version: "1.2.3",
        node: process.version,
        durability: "write",
        on_error: "deny",
      },
      { v: 1, log: log.id, seq: 1, ts: "2026-01-01T00:00:00.000Z", ...lookup(0) },
      {
        v: 1,
        log: log.id,
        seq: 2,
        ts: "2026-01-01T00:00:00.000Z",
        type: "log.close",
        next: null,
        records: 2,
      },
    ]);
  });

  test("two logs of one folder have files of their own", async () => {
    await using temporary = await temporaryDir();
    const clock = fakeClock();
    const logs = [
      await openAuditLog({ dir: temporary.path, clock }),
      await openAuditLog({ dir: temporary.path, clock }),
    ];
    const ids = logs.map((opened) => (opened.ok ? opened.value.id : ""));
    expect(new Set(ids).size).toBe(2);
    for (const opened of logs) if (opened.ok) await opened.value.close();
  });

  test("a folder that cannot be one is a fault with the system's code", async () => {
    await using temporary = await temporaryDir();
    const file = join(temporary.path, "file");
    writeFileSync(file, "");
    const opened = await openAuditLog({ dir: join(file, "audit"), clock: fakeClock() });
    expect(opened).toEqual({ ok: false, error: { code: "open_failed", detail: "ENOTDIR" } });
  });
});

describe("append", () => {
  test("an acknowledged record is in the file", async () => {
    await using temporary = await temporaryDir();
    const log = await openLog(temporary.path);
    for (let hop = 0; hop < 20; hop += 1) {
      const result = await log.append(lookup(hop));
      expect(readLog(temporary.path).lines.at(-1)).toMatchObject({ seq: result.ok && result.value, hop });
    }
    await log.close();
  });

  test("on an idle log the record is in the file when the current job is done", async () => {
    await using temporary = await temporaryDir();
    const log = await openLog(temporary.path);
    let acknowledged = false;
    void log.append(lookup(7)).then(() => {
      acknowledged = true;
    });
    // One turn of the microtask queue, before any timer or I/O.
    await Promise.resolve();
    expect(readLog(temporary.path).lines.at(-1)).toMatchObject({ hop: 7 });
    await Promise.resolve();
    expect(acknowledged).toBe(true);
    await log.close();
  });

  test("records are kept in the order of the calls, numbered without gaps, however many at once", async () => {
    await using temporary = await temporaryDir();
    const log = await openLog(temporary.path);
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      const seqs: number[] = [];
      for (let count = 0; count < 50; count += 1) {
        const result = await log.append(lookup(writer * 1000 + count));
        if (result.ok) seqs.push(result.value);
        if (count % 7 === writer % 7) await new Promise((resolve) => setImmediate(resolve));
      }
      return seqs;
    });
    const all = await Promise.all(writers);
    await log.close();
    const { lines } = readLog(temporary.path);
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 1002 }, (_, seq) => seq));
    for (const [writer, seqs] of all.entries()) {
      expect(seqs.map((seq) => lines[seq]?.hop)).toEqual(
        Array.from({ length: 50 }, (_, count) => writer * 1000 + count),
      );
    }
  });

  test("10,000 records may wait; the next is refused, and the log says that it is missing", async () => {
    await using temporary = await temporaryDir();
    const log = await openLog(temporary.path);
    const results = await Promise.all(Array.from({ length: 10_003 }, (_, hop) => log.append(lookup(hop))));
    expect(results.filter(({ ok }) => ok)).toHaveLength(10_000);
    expect(results.slice(10_000).map((result) => !result.ok && result.error.code)).toEqual([
      "queue_full",
      "queue_full",
      "queue_full",
    ]);
    const { lines } = readLog(temporary.path);
    expect(lines[1]).toMatchObject({
      seq: 1,
      type: "log.gap",
      lost: 3,
      cause: "queue_full",
      since: "2026-01-01T00:00:00.000Z",
    });
    expect(results[0]).toEqual({ ok: true, value: 2 });
    expect(log.head()).toBe(10_001);
    expect((await log.append(lookup(0))).ok).toBe(true);
    await log.close();
  });
});

describe("close", () => {
  test("what waits is written first, later records are refused, closing again is harmless", async () => {
    await using temporary = await temporaryDir();
    const log = await openLog(temporary.path);
    const waiting = log.append(lookup(1));
    await Promise.all([log.close(), log.close()]);
    expect(await waiting).toEqual({ ok: true, value: 1 });
    expect(await log.append(lookup(2))).toMatchObject({ ok: false, error: { code: "closed" } });
    await log.close();
    const { file, lines } = readLog(temporary.path);
    expect(lines.map(({ type }) => type)).toEqual(["log.open", "request.lookup", "log.close"]);
    expect(readFileSync(file, "utf8").endsWith("}\n")).toBe(true);
  });
});

describe("absentAuditLog", () => {
  test("it has no id, counts, and refuses records once it is closed", async () => {
    const log = absentAuditLog();
    expect([log.id, log.head()]).toEqual(["", -1]);
    expect(await Promise.all([log.append(lookup(0)), log.append(lookup(1))])).toEqual([
      { ok: true, value: 0 },
      { ok: true, value: 1 },
    ]);
    expect(log.head()).toBe(1);
    await log.close();
    expect(await log.append(lookup(2))).toMatchObject({ ok: false, error: { code: "closed" } });
  });
});
