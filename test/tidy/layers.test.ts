// The architecture as a test: arrows point down, each layer has its packages, some calls have one home.
import { describe, expect, test } from "vitest";
import { codeOf, filesBelow, importsOf, textOf } from "./source.ts";

// From the bottom up; trace and audit stand side by side and do not know each other.
const layerOf = (target: string): { readonly name: string; readonly level: number } => {
  const folders = ["core", "url", "policy", "trace", "audit", "egress", "guest"];
  const levels: Readonly<Record<string, number>> = {
    core: 0,
    url: 1,
    policy: 2,
    trace: 3,
    audit: 3,
    egress: 4,
    guest: 5,
    cli: 8,
  };
  const [folder = "", rest] = target.split("/");
  if (rest !== undefined) return { name: folder, level: levels[folder] ?? Number.NaN };
  if (target === "index.ts") return { name: "index", level: 7 };
  return { name: "sandbox", level: folders.length - 1 };
};

const packages: Readonly<Record<string, readonly RegExp[]>> = {
  core: [],
  url: [/^node:(net|url)$/, /^ipaddr\.js$/],
  policy: [/^yaml$/],
  trace: [/^@opentelemetry\/api$/],
  audit: [/^node:(fs|fs\/promises|path)$/],
  egress: [
    /^undici(\/lib\/dispatcher\/client\.js)?$/,
    /^@opentelemetry\/api$/,
    /^node:(crypto|diagnostics_channel|dns|events|net|os|stream|tls)$/,
  ],
  guest: [/^node:(worker_threads|crypto|url|path|buffer)$/],
  sandbox: [/^node:(crypto|fs\/promises|os)$/, /^@opentelemetry\/api$/],
  index: [],
  cli: [/^node:/, /^@opentelemetry\/(api|sdk-trace|resources|exporter-trace-otlp-proto)$/],
};

const files = filesBelow("src", ".ts");

/** The faults of one file's imports. */
function importFaults(file: string, text: string): string[] {
  const own = layerOf(file.replace(/^src\//, ""));
  return importsOf(file, text).flatMap(({ specifier, target }) => {
    if (target === undefined) {
      const allowed = packages[own.name]?.some((pattern) => pattern.test(specifier)) ?? false;
      return allowed ? [] : [`${file}: ${own.name} may not import ${specifier}`];
    }
    const other = layerOf(target);
    if (own.name === "cli" && other.name !== "cli" && other.name !== "index") {
      return [`${file}: the command line is a user of the public API and may not import ${specifier}`];
    }
    const sideways = own.level === other.level && own.name !== other.name;
    return other.level > own.level || sideways ? [`${file}: ${own.name} may not import ${specifier}`] : [];
  });
}

interface Ban {
  readonly call: RegExp;
  readonly home: RegExp;
  readonly instead: string;
}

const bans: readonly Ban[] = [
  { call: /\bnew URL\(/, home: /^src\/url\//, instead: "parseDestination" },
  { call: /(?<![.\w])fetch\(/, home: /^$/, instead: "the gate" },
  { call: /\b(undici|https?)\.(request|get|fetch)\(/, home: /^$/, instead: "the gate" },
  {
    call: /\b(net|tls)\.(connect|createConnection)\(/,
    home: /^src\/egress\/connect\.ts$/,
    instead: "connectVetted",
  },
  {
    call: /\bDate\.now\(|\bperformance\.now\(|\bsetTimeout\(|\bsetInterval\(/,
    home: /^src\/core\/clock\.ts$|^src\/guest\/thread\/wasi\/thread-clock\.ts$|^src\/cli\/command-line\.ts$/,
    instead: "a Clock",
  },
  { call: /\bprocess\.env\b/, home: /^src\/cli\//, instead: "an option" },
  { call: /\beval\(|\bnew Function\(/, home: /^$/, instead: "nothing" },
];

describe("layers", () => {
  test("imports point down and stay within each layer's packages", () => {
    expect(files.length).toBeGreaterThan(40);
    expect(files.flatMap((file) => importFaults(file, textOf(file)))).toEqual([]);
  });

  test("an import that points up, sideways or to a foreign package is found", () => {
    expect(importFaults("src/policy/x.ts", 'import { openGate } from "../egress/gate.ts";')).toHaveLength(1);
    expect(importFaults("src/trace/x.ts", 'import type { A } from "../audit/audit-log.ts";')).toHaveLength(1);
    expect(importFaults("src/policy/x.ts", 'import { readFile } from "node:fs";')).toHaveLength(1);
    expect(importFaults("src/cli/x.ts", 'const m = await import("../egress/gate.ts");')).toHaveLength(1);
    expect(importFaults("src/egress/x.ts", 'import { parse } from "../url/destination.ts";')).toEqual([]);
  });

  test("each banned call stays in its home", () => {
    const faults = files.flatMap((file) =>
      bans
        .filter(({ call, home }) => !home.test(file) && call.test(codeOf(textOf(file))))
        .map(({ call, instead }) => `${file}: ${String(call)} belongs elsewhere; use ${instead}`),
    );
    expect(faults).toEqual([]);
  });

  test("the guest's thread reaches no code that can open a socket or judge a request", () => {
    const seen = new Set<string>();
    const faults: string[] = [];
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { specifier, target, typeOnly } of importsOf(file, textOf(file))) {
        // A type leaves nothing behind at run time.
        if (typeOnly) continue;
        if (target === undefined) {
          if (specifier !== "node:worker_threads") faults.push(`${file} imports ${specifier}`);
        } else if (/^(core|guest)\//.test(target)) visit(`src/${target}`);
        else faults.push(`${file} imports ${specifier}`);
      }
    };
    visit("src/guest/thread/entry.ts");
    expect(seen.size).toBeGreaterThan(3);
    expect(faults).toEqual([]);
  });
});
