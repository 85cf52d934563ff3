// Limits through the whole gate: each denies with its own reason before anything is sent, and `0` is none.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin({ handler: (_request, response) => response.end("0123456789") });
});

afterAll(() => origin.close());

const get = (): string => `get GET ${origin.url}/`;

interface Row {
  readonly limits: Readonly<Record<string, unknown>>;
  readonly steps?: () => readonly string[];
  readonly lines: readonly string[];
  readonly reason: string;
  readonly limit: string | undefined;
  /** Requests that the server saw. */
  readonly sent: number;
}

const rows: readonly Row[] = [
  { limits: { rate: 0 }, lines: ["error 13"], reason: "rate_limited", limit: "rate", sent: 0 },
  {
    limits: { rate: "2/h" },
    lines: ["200 10", "200 10", "error 13"],
    reason: "rate_limited",
    limit: "rate",
    sent: 2,
  },
  {
    limits: { burst: 1, rate: "1/h" },
    lines: ["200 10", "error 13"],
    reason: "rate_limited",
    limit: "rate",
    sent: 1,
  },
  {
    limits: { concurrent: 0 },
    lines: ["error 13"],
    reason: "concurrency_exceeded",
    limit: "concurrent",
    sent: 0,
  },
  {
    limits: { requests: 1 },
    lines: ["200 10", "error 13"],
    reason: "request_budget_exhausted",
    limit: "requests",
    sent: 1,
  },
  {
    limits: { requests: 0 },
    lines: ["error 13"],
    reason: "request_budget_exhausted",
    limit: "requests",
    sent: 0,
  },
  {
    limits: { bytesIn: "15B" },
    lines: ["200 10", "200 broken"],
    reason: "byte_budget_exhausted",
    limit: "bytesIn",
    sent: 2,
  },
  {
    limits: { bytesOut: "5B" },
    steps: () => [`get POST ${origin.url}/ x:y 12345`, `get POST ${origin.url}/ x:y 6`],
    lines: ["200 10", "error 13"],
    reason: "byte_budget_exhausted",
    limit: "bytesOut",
    sent: 1,
  },
  {
    limits: { requestBody: "4B" },
    steps: () => [`get POST ${origin.url}/ x:y 1234`, `get POST ${origin.url}/ x:y 12345`],
    lines: ["200 10", "error 13"],
    reason: "request_body_too_large",
    limit: "requestBody",
    sent: 1,
  },
  {
    limits: { requestBody: 0 },
    steps: () => [get(), `get POST ${origin.url}/ x:y 1`],
    lines: ["200 10", "error 13"],
    reason: "request_body_too_large",
    limit: "requestBody",
    sent: 1,
  },
  {
    limits: { responseBody: "9B" },
    lines: ["error 13"],
    reason: "response_body_too_large",
    limit: "responseBody",
    sent: 1,
  },
  { limits: { timeout: 0 }, lines: ["error 11"], reason: "request_timeout", limit: undefined, sent: 0 },
];

describe.each(["guest", "rule"] as const)("a limit of the %s", (scope) => {
  test.each(rows)("$limits ends in $reason", async ({ limits, steps, lines, reason, limit, sent }) => {
    await using bench = await openSandboxBench();
    const before = origin.seen.length;
    const rule = { id: "a", to: origin.url };
    const policy = policyOf(scope === "guest" ? { limits, rules: [rule] } : { rules: [{ ...rule, limits }] });
    const result = await bench.script(steps?.() ?? lines.map(get), { policy });
    expect(result.lines).toEqual(lines);
    expect(bench.summaries.at(-1)).toMatchObject({ reason });
    expect(origin.seen.length - before).toBe(sent);
    const met = bench.summaries.at(-1)?.limit?.name;
    if (limit !== undefined) expect(met === undefined || met.endsWith(limit)).toBe(true);
  });
});

test("many open responses of one guest make the process warn of nothing", async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", note);
  await using bench = await openSandboxBench();
  const policy = policyOf({ rules: [{ id: "a", to: origin.url }] });
  const result = await bench.script(Array(60).fill(`open GET ${origin.url}/`), { policy });
  await bench.sandbox.close();
  process.off("warning", note);
  expect(new Set(result.lines)).toEqual(new Set(["200"]));
  expect(warnings).toEqual([]);
});
