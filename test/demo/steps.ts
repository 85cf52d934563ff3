// What the demo expects: every request that the guest makes, what the guest may know of it and what the operator reads.
// Holds no logic but the comparison, so that the demo is a test of the whole product too.

import type { RequestSummary } from "../../src/index.ts";

/** One request of the guest, in the order in which the guest makes them. */
export interface Step {
  readonly method: string;
  /** The URL as the guest writes it. */
  readonly asked: string;
  /** The same in normal form, without its query. */
  readonly url: string;
  /** What the guest gets: a status, or the words for an error code of its ABI. */
  readonly guest: string;
  /** What the operator reads. */
  readonly decision: "allow" | "deny";
  readonly rule?: string;
  readonly reason?: string;
  readonly stage?: string;
  readonly range?: string;
}

/** The script of assembly/main.ts for a server on `port`. */
export function demoSteps(port: number): readonly Step[] {
  const api = `https://api.demo.test:${port}`;
  const allowed = (rule: string, method: string, asked: string): Step => ({
    method,
    asked,
    url: withoutQuery(asked),
    guest: "200",
    decision: "allow",
    rule,
  });
  const denied = (
    reason: string,
    stage: string,
    method: string,
    asked: string,
    more: Partial<Step> = {},
  ): Step => ({
    method,
    asked,
    url: withoutQuery(asked),
    guest: "denied (7)",
    decision: "deny",
    reason,
    stage,
    ...more,
  });
  const limited = { guest: "too many (13)" };
  return [
    allowed("api", "GET", `${api}/v1/hello`),
    allowed("api", "POST", `${api}/v1/echo`),
    allowed("api", "GET", `${api}/v1/stream`),
    denied("scheme_not_allowed", "policy", "GET", `http://api.demo.test:${port}/v1/hello`),
    denied("host_not_allowed", "policy", "GET", `https://elsewhere.demo.test:${port}/v1/hello`),
    denied("port_not_allowed", "policy", "GET", "https://api.demo.test/v1/hello"),
    denied("method_not_allowed", "policy", "DELETE", `${api}/v1/hello`),
    denied("path_not_allowed", "policy", "GET", `${api}/internal/metrics`),
    denied("rule_denied", "policy", "GET", `${api}/v1/admin/keys`, { rule: "no-admin" }),
    allowed("search", "GET", `${api}/search?q=1`),
    allowed("search", "GET", `${api}/search?q=2`),
    allowed("search", "GET", `${api}/search?q=3`),
    denied("rate_limited", "limit", "GET", `${api}/search?q=4`, limited),
    allowed("reports", "GET", `${api}/reports/1`),
    denied("concurrency_exceeded", "limit", "GET", `${api}/reports/2`, limited),
    allowed("reports", "GET", `${api}/reports/2`),
    denied("address_forbidden", "address", "GET", `https://rebind.demo.test:${port}/`, { range: "loopback" }),
    denied("ip_literal_not_allowed", "policy", "GET", `https://0x7f000001:${port}/v1/hello`, {
      url: `https://127.0.0.1:${port}/v1/hello`,
    }),
    denied("host_not_allowed", "redirect", "GET", `${api}/v1/moved`),
  ];
}

/** What the server must have seen, and nothing else: the allowed requests and the one that led elsewhere. */
export function arrivals(steps: readonly Step[]): readonly string[] {
  return steps
    .filter((step) => step.decision === "allow" || step.stage === "redirect")
    .map((step) => `${step.method} ${step.asked}`);
}

/** Where the run differs from the script, a sentence each; empty when it went as it should. */
export function differences(
  steps: readonly Step[],
  seen: {
    readonly output: string;
    readonly summaries: readonly RequestSummary[];
    readonly arrived: readonly string[];
  },
): readonly string[] {
  return [
    ...outputDifferences(steps, seen.output),
    ...summaryDifferences(steps, seen.summaries),
    ...arrivalDifferences(arrivals(steps), seen.arrived),
  ];
}

function outputDifferences(steps: readonly Step[], output: string): string[] {
  const found: string[] = [];
  const lines = output.split("\n").filter((line) => line !== "");
  for (const [index, step] of steps.entries()) {
    const line = lines[index] ?? "";
    const words = [step.guest, step.method, step.asked];
    if (!line.startsWith(step.guest) || !words.every((word) => line.includes(word))) {
      found.push(
        `line ${index + 1} of the guest should say "${words.join(" ")}", but says "${line.trim()}".`,
      );
    }
  }
  if (lines.length !== steps.length) {
    found.push(`The guest should print ${steps.length} lines, but printed ${lines.length}.`);
  }
  const chunks = /chunks: ([\d ]+) bytes/.exec(output)?.[1]?.split(" ").map(Number) ?? [];
  if (chunks.length < 2)
    found.push("The streamed body should come in several chunks, but came in one or not at all.");
  return found;
}

// A summary is written when its response is closed, so the order is not that of the requests.
function summaryDifferences(steps: readonly Step[], summaries: readonly RequestSummary[]): string[] {
  const found: string[] = [];
  const left = [...summaries];
  for (const step of steps) {
    const name = `${step.method} ${step.asked}`;
    const candidates = left.filter(
      (summary) => summary.method === step.method && withoutQuery(summary.url) === step.url,
    );
    const summary = candidates.find((candidate) => candidate.decision === step.decision) ?? candidates[0];
    if (summary === undefined) {
      found.push(`${name} was not recorded.`);
      continue;
    }
    left.splice(left.indexOf(summary), 1);
    for (const key of ["decision", "reason", "stage", "range", "rule"] as const) {
      const expected = step[key];
      // A rule is only named where the script names one: near misses of other rules are not its business.
      if (key === "rule" && expected === undefined) continue;
      if (summary[key] !== expected) {
        found.push(`${name}: ${key} should be ${expected ?? "absent"}, but is ${summary[key] ?? "absent"}.`);
      }
    }
  }
  for (const summary of left)
    found.push(`${summary.method} ${summary.url} was recorded, but never asked for.`);
  return found;
}

function arrivalDifferences(expected: readonly string[], arrived: readonly string[]): string[] {
  const found: string[] = [];
  for (const name of expected)
    if (!arrived.includes(name)) found.push(`${name} should have reached the server.`);
  for (const name of arrived) {
    if (!expected.includes(name)) found.push(`${name} reached the server, but must never have left.`);
  }
  return found;
}

function withoutQuery(url: string): string {
  return url.split("?", 1)[0] ?? url;
}
