// The tree for the terminal, taken literally.
import { describe, expect, test } from "vitest";
import { type FinishedSpan, printSpanTree } from "../../src/trace/span-tree.ts";
import { destinationOf } from "../support/arbitraries.ts";
import { goodEnd, recording, requestFacts, runFacts, startMs } from "./recording.ts";

function exampleSpans(): readonly FinishedSpan[] {
  const { tracer, spans } = recording();
  const run = tracer.startRun(runFacts);
  const fetched = run.startRequest(requestFacts);
  const hop = fetched.startHop({
    method: "GET",
    destination: destinationOf("https://api.example.com/v1/items/7?token=s3cret"),
    resendCount: 0,
    urlTemplate: "/v1/items/*",
    startTimeMs: startMs + 20,
  });
  hop.end({ status: 302, endTimeMs: startMs + 50 });
  const redirected = fetched.startHop({
    method: "GET",
    destination: destinationOf("https://cdn.example.com/7"),
    resendCount: 1,
    startTimeMs: startMs + 50,
  });
  redirected.end({ status: 404, endTimeMs: startMs + 60 });
  fetched.end({ ...goodEnd, status: 404, endTimeMs: startMs + 70 });
  const denied = run.startRequest({
    ...requestFacts,
    seq: 2,
    method: "POST",
    destination: destinationOf("http://169.254.169.254/latest?x=1"),
    decision: "deny",
    startTimeMs: startMs + 75,
  });
  denied.end({
    ...goodEnd,
    outcome: "denied",
    decision: "deny",
    status: undefined,
    reason: "address_forbidden",
    stage: "address",
    range: "cloud_metadata",
    endTimeMs: startMs + 75.5,
  });
  const reported = run.startRequest({
    ...requestFacts,
    seq: 3,
    decision: "would_deny",
    reason: "host_not_allowed",
    startTimeMs: startMs + 80,
  });
  reported.end({ ...goodEnd, decision: "would_deny", endTimeMs: startMs + 100 });
  run.end({ status: "ok", allowed: 2, denied: 1, failed: 0, endTimeMs: startMs + 100 });
  return spans();
}

describe("printSpanTree", () => {
  test("a run is drawn with its requests and hops, their times, and reasons in words", () => {
    const lines = printSpanTree(exampleSpans(), { barWidth: 10 }).split("\n");
    expect(lines).toEqual([
      "run tenant-42/weather  ██████████    100.0 ms  2 allowed, 1 denied, 0 failed",
      "├─ egress GET          ·██████···     60.0 ms  https://api.example.com/v1/items/7?token=REDACTED -> 404",
      "│  ├─ GET /v1/items/*  ··███·····     30.0 ms  -> 302",
      "│  └─ GET              ·····█····     10.0 ms  https://cdn.example.com/7 -> 404",
      "├─ egress POST denied  ········█·      0.5 ms  http://169.254.169.254/latest?x=REDACTED " +
        "address_forbidden (cloud_metadata): the address that this leads to is not granted",
      "└─ egress GET          ········██     20.0 ms  https://api.example.com/v1/items/7?token=REDACTED -> 200 " +
        "host_not_allowed: no rule allows this host (would be denied; the policy only reports)",
    ]);
  });

  test("colours mark errors red and would-be denials yellow, and nothing is coloured unasked", () => {
    const spans = exampleSpans();
    expect(printSpanTree(spans)).not.toContain("\u001b");
    const marks = printSpanTree(spans, { colours: true })
      .split("\n")
      .map((line) =>
        line.startsWith("\u001b[31m") ? "red" : line.startsWith("\u001b[33m") ? "yellow" : "plain",
      );
    expect(marks).toEqual(["plain", "plain", "plain", "red", "red", "yellow"]);
  });

  test("the order of the spans given does not matter", () => {
    const spans = exampleSpans();
    expect(printSpanTree(spans.toReversed())).toBe(printSpanTree(spans));
  });

  const odd = (id: string, parent: string | undefined, name = id): FinishedSpan => ({
    name,
    spanContext: () => ({ traceId: "t", spanId: id }),
    parentSpanContext: parent === undefined ? undefined : { spanId: parent },
    startTime: [0, 0],
    endTime: [0, 0],
    status: { code: 0 },
    attributes: {},
  });

  test("a span whose parent is not there is a root", () => {
    expect(printSpanTree([odd("a", "elsewhere"), odd("b", "a")], { barWidth: 1 })).toBe(
      "a     █      0.0 ms\n└─ b  █      0.0 ms",
    );
  });

  test("spans that are their own ancestors are shown once", () => {
    const lines = printSpanTree([odd("a", "b"), odd("b", "a"), odd("c", "c")]).split("\n");
    expect(lines).toHaveLength(3);
  });

  test("no spans give no text", () => {
    expect(printSpanTree([])).toBe("");
  });

  test("what steers a terminal is escaped and long names are cut", () => {
    const text = printSpanTree([odd("a", undefined, "\u001b[2J"), odd("b", undefined, "n".repeat(500))]);
    expect(text).not.toContain("\u001b");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(120);
  });
});
