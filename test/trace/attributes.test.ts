// The table of attributes against what spans really carry, and against its documentation.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { reasonTable } from "../../src/core/reason.ts";
import {
  attributeTable,
  instrumentationScope,
  keys,
  type SpanPlace,
  spanNames,
} from "../../src/trace/attributes.ts";
import { goodEnd, hopFacts, recording, requestFacts, runFacts } from "./recording.ts";

const fromRoot = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const entries = Object.values(attributeTable);

/** Every attribute that each kind of span gets when every fact there is is told. */
function carried(): Record<SpanPlace, Map<string, unknown>> {
  const at = recording();
  const run = at.tracer.startRun(runFacts);
  const request = run.startRequest({
    ...requestFacts,
    method: "BREW",
    reason: "address_forbidden",
    stage: "address",
    range: "loopback",
    strippedHeaders: 1,
    policyMs: 1.5,
    queueMs: 1.5,
  });
  const hop = request.startHop({ ...hopFacts, method: "BREW", resendCount: 1 });
  const durations = { dnsMs: 1.5, connectMs: 1.5, tlsMs: 1.5 };
  hop.connected({
    ...durations,
    peerAddress: "::1",
    peerPort: 443,
    answers: ["::1"],
    tlsVersion: "TLSv1.3",
    reused: false,
  });
  hop.end({
    status: 502,
    reason: "address_forbidden",
    stage: "address",
    range: "loopback",
    ttfbMs: 1.5,
    tlsErrorCode: "CERT_HAS_EXPIRED",
  });
  request.end({
    ...goodEnd,
    outcome: "denied",
    decision: "deny",
    deniedUrl: "https://h.example/",
    auditSeq: 1,
    limit: { name: "rate", value: 1.5, observed: 2.5, retryAfterMs: 3.5 },
  });
  run.end({ status: "trapped", allowed: 1, denied: 1, failed: 1, auditLog: "01LOG", auditHeadSeq: 1 });
  const placeOf = (name: string): SpanPlace =>
    name.startsWith("run ") ? "run" : name.startsWith("egress ") ? "request" : "hop";
  return Object.fromEntries(
    at.spans().map((span) => [placeOf(span.name), new Map<string, unknown>(Object.entries(span.attributes))]),
  ) as Record<SpanPlace, Map<string, unknown>>;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "string[]";
  return typeof value === "number" ? (Number.isInteger(value) ? "int" : "double") : typeof value;
}

describe("attributes", () => {
  test.each(["run", "request", "hop"] as const)(
    "a %s carries the attributes that the table says, of that type",
    (place) => {
      const claimed = entries.filter(({ on }) => on.includes(place)).map(({ key, type }) => [key, type]);
      const found = [...carried()[place]].map(([key, value]) => [key, typeName(value)]);
      expect(found.toSorted()).toEqual(claimed.toSorted());
    },
  );

  test("no key stands twice, and own keys have the prefix egress.", () => {
    const all = entries.map(({ key }) => key);
    expect(new Set(all).size).toBe(all.length);
    expect(
      all.filter((key) => !/^(egress|http|url|server|network|tls|error)\.[a-z0-9_.]+$/.test(key)),
    ).toEqual([]);
    expect(keys.decision).toBe("egress.decision");
  });

  test("names are built of a word and nothing else", () => {
    expect(spanNames.run("g")).toBe("run g");
    expect(spanNames.request("GET")).toBe("egress GET");
    expect(spanNames.denied("GET")).toBe("egress GET denied");
    expect(spanNames.hop("GET", undefined)).toBe("GET");
    expect(spanNames.hop("GET", "/v1/*")).toBe("GET /v1/*");
  });

  test("the scope's version is the package's", () => {
    const { name, version } = JSON.parse(fromRoot("package.json")) as { name: string; version: string };
    expect(instrumentationScope).toEqual({ name, version });
  });
});

describe("docs/tracing.md", () => {
  const rowsOf = (section: string): string[][] => {
    const text = fromRoot("docs/tracing.md").split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
    const lines = text.split("\n").filter((line) => line.startsWith("| `"));
    return lines.map((line) => line.slice(2, -2).split(" | "));
  };

  test("its table of attributes is that of the code, in the same order", () => {
    const rows = entries.map(({ key, on, type, meaning }) => [`\`${key}\``, on.join(", "), type, meaning]);
    expect(rowsOf("Attributes")).toEqual(rows);
  });

  test("its table of reasons is that of the code, in the same order", () => {
    const rows = Object.entries(reasonTable).map(([reason, { stage, kind, sentence }]) => [
      `\`${reason}\``,
      stage,
      kind,
      sentence,
    ]);
    expect(rowsOf("Reasons")).toEqual(rows);
  });

  test("every attribute and reason that its prose names exists", () => {
    const known = new Set<string>([...entries.map(({ key }) => key), ...Object.keys(reasonTable)]);
    const named = [
      ...fromRoot("docs/tracing.md").matchAll(
        /\b(?:egress|http|url|server|network|tls|error)\.[a-z0-9_.]*[a-z0-9_]/g,
      ),
    ];
    expect(named.map(([key]) => key).filter((key) => !known.has(key))).toEqual([]);
    const searched = [...fromRoot("docs/tracing.md").matchAll(/`egress\.reason=(\w+)`/g)].map(
      (match) => match[1] ?? "",
    );
    expect(searched.filter((reason) => !known.has(reason))).toEqual([]);
  });
});
