// Records as lines: taken literally, in the order of their keys, bounded.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AuditRecord,
  type LoggedRecord,
  recordFields,
  recordLine,
  timestamp,
} from "../../src/audit/audit-record.ts";
import { escapeControls } from "../../src/core/record-text.ts";

const envelope = { log: "01LOG", seq: 3, timeMs: Date.UTC(2026, 0, 1, 12, 30, 0, 5) };
const start = '{"v":1,"log":"01LOG","seq":3,"ts":"2026-01-01T12:30:00.005Z"';

const rows: readonly [LoggedRecord, string][] = [
  [
    {
      type: "log.open",
      segment: 0,
      previous: null,
      host: "h",
      pid: 7,
      version: "1.0.0",
      node: "v24",
      durability: "write",
      on_error: "deny",
    },
    '"type":"log.open","segment":0,"previous":null,"host":"h","pid":7,"version":"1.0.0","node":"v24","durability":"write","on_error":"deny"}',
  ],
  [{ type: "log.close", records: 9, next: null }, '"type":"log.close","next":null,"records":9}'],
  [
    { type: "log.gap", cause: "ENOSPC", since: "2026-01-01T00:00:00.000Z", lost: 2 },
    '"type":"log.gap","lost":2,"since":"2026-01-01T00:00:00.000Z","cause":"ENOSPC"}',
  ],
  [
    { type: "policy.load", mode: "report", rules: 2, name: "weather", policy_sha256: "cd" },
    '"type":"policy.load","policy_sha256":"cd","name":"weather","rules":2,"mode":"report"}',
  ],
  [
    {
      type: "run.start",
      run: "01RUN",
      guest: { name: "g", sha256: "ab" },
      policy_sha256: "cd",
      mode: "enforce",
      subject: { tenant: "42" },
      trace_id: "t",
    },
    '"type":"run.start","run":"01RUN","guest":{"name":"g","sha256":"ab"},"policy_sha256":"cd","mode":"enforce","subject":{"tenant":"42"},"trace_id":"t"}',
  ],
  [
    { type: "run.end", run: "01RUN", status: "ok", allowed: 1, denied: 2, failed: 3, dangling: 0 },
    '"type":"run.end","run":"01RUN","status":"ok","allowed":1,"denied":2,"failed":3,"dangling":0}',
  ],
  [
    {
      type: "request.lookup",
      url: "https://h.example/",
      host: "h.example",
      rule: "a",
      hop: 0,
      method: "GET",
      req: "01REQ",
      run: "01RUN",
    },
    '"type":"request.lookup","run":"01RUN","req":"01REQ","hop":0,"host":"h.example","method":"GET","url":"https://h.example/","rule":"a"}',
  ],
  [
    {
      type: "request.decision",
      span_id: "s",
      trace_id: "t",
      limit: { name: "rate", value: 60, observed: 61 },
      range: "loopback",
      addresses: ["127.0.0.1"],
      mode: "enforce",
      policy_sha256: "cd",
      rule: "r",
      stage: "address",
      reason: "address_forbidden",
      decision: "deny",
      body_bytes: null,
      stripped: ["traceparent"],
      headers: ["accept"],
      path: "/",
      port: 443,
      host: "h.example",
      scheme: "https",
      url: "https://h.example/",
      method: "GET",
      hop: 0,
      n: 1,
      req: "01REQ",
      run: "01RUN",
    },
    '"type":"request.decision","run":"01RUN","req":"01REQ","n":1,"hop":0,"method":"GET","url":"https://h.example/","scheme":"https","host":"h.example","port":443,"path":"/","headers":["accept"],"stripped":["traceparent"],"body_bytes":null,"decision":"deny","reason":"address_forbidden","stage":"address","rule":"r","policy_sha256":"cd","mode":"enforce","addresses":["127.0.0.1"],"range":"loopback","limit":{"name":"rate","value":60,"observed":61},"trace_id":"t","span_id":"s"}',
  ],
  [
    {
      type: "request.end",
      run: "01RUN",
      req: "01REQ",
      hops: 1,
      outcome: "response",
      status: 200,
      bytes_out: 0,
      bytes_in: 5,
      duration_ms: 12.5,
      decision_seq: 4,
    },
    '"type":"request.end","run":"01RUN","req":"01REQ","hops":1,"outcome":"response","status":200,"bytes_out":0,"bytes_in":5,"duration_ms":12.5,"decision_seq":4}',
  ],
];

describe("recordLine", () => {
  test.each(rows)("a record of $type has its keys in the order of the format", (record, rest) => {
    expect(recordLine(envelope, record)).toBe(`${start},${rest}\n`);
  });

  test("every kind of record has a row above", () => {
    expect(rows.map(([record]) => record.type).toSorted()).toEqual(Object.keys(recordFields).toSorted());
  });

  test("what is absent is left out, and what the format does not know is not written", () => {
    const record = {
      type: "run.start",
      run: "01RUN",
      guest: { name: "g" },
      policy_sha256: "cd",
      mode: "enforce",
      password: "s3cret",
    };
    expect(recordLine(envelope, record as AuditRecord)).toBe(
      `${start},"type":"run.start","run":"01RUN","guest":{"name":"g"},"policy_sha256":"cd","mode":"enforce"}\n`,
    );
  });

  test("texts and lists are bounded", () => {
    const long = "x".repeat(100_000);
    const line = recordLine(envelope, {
      type: "request.decision",
      run: "01RUN",
      req: "01REQ",
      n: 1,
      hop: 0,
      method: long,
      url: long,
      host: long,
      path: long,
      headers: Array.from({ length: 5000 }, () => long),
      addresses: Array.from({ length: 5000 }, () => long),
      decision: "deny",
      policy_sha256: "cd",
      mode: "enforce",
    });
    const written = JSON.parse(line) as { url: string; headers: string[] };
    expect(written.url).toHaveLength(2048);
    expect(written.headers).toHaveLength(100);
    expect(written.headers[0]).toHaveLength(256);
    expect(line.length).toBeLessThan(64 * 1024);
  });

  test("a record is one printable line and says what was given, whatever that was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (method) => {
        const line = recordLine(envelope, {
          type: "request.decision",
          run: "01RUN",
          req: "01REQ",
          n: 1,
          hop: 0,
          method,
          url: "",
          headers: [method],
          decision: "deny",
          policy_sha256: "cd",
          mode: "enforce",
        });
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        const written = JSON.parse(line) as { method: string; headers: string[] };
        expect(written.method).toBe(escapeControls(method));
        expect(written.headers).toEqual([
          escapeControls(method).length > 256 ? expect.any(String) : escapeControls(method),
        ]);
      }),
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1e300])(
    "a clock that says %d costs no record",
    (timeMs) => {
      expect(timestamp(timeMs)).toBe("1970-01-01T00:00:00.000Z");
    },
  );
});
