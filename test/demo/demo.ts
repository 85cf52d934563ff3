// `npm run demo`: one hostile guest, one policy, and everything that an operator gets to see of it, in a few seconds.
// It talks to a server on this machine only, and exits with 1 when a request got another reason than it should have.

import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { loadPolicy, openSandbox, type RequestSummary, type RunResult } from "../../src/index.ts";
import { printSpanTree } from "../../src/trace/span-tree.ts";
import { createAuthority } from "../support/certificate-authority.ts";
import { startOrigin } from "../support/origin.ts";
import { answer, arrivalOf } from "./answers.ts";
import { buildDemoGuest } from "./build-guest.ts";
import { auditLines, colours, heading, indented, requestTable, styled } from "./layout.ts";
import { arrivals, demoSteps, differences } from "./steps.ts";

const repositoryDir = join(import.meta.dirname, "..", "..");
const policyFile = join(repositoryDir, "policies", "demo.yaml");
const guestName = "demo/visitor";
const serverNames = ["api.demo.test", "elsewhere.demo.test", "rebind.demo.test"];
// All of them lead here. Only the rules that grant loopback addresses may go where they lead.
const answersForNames = Object.fromEntries(serverNames.map((name) => [name, ["127.0.0.1"]]));

process.exitCode = await demo();

async function demo(): Promise<number> {
  const print = (words: string): boolean => process.stdout.write(`${words}\n`);
  const wasm = await buildDemoGuest();
  const policy = await loadPolicy(policyFile);
  const authority = createAuthority();
  await using origin = await startOrigin({ tls: authority.issue({ names: serverNames }), handler: answer });
  const auditDir = await mkdtemp(join(tmpdir(), "sallyport-demo-"));
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });

  print(
    heading(
      `A guest runs (${wasm.byteLength} bytes, compiled just now)`,
      "What it got, what it asked, and why it tried.",
    ),
  );
  const summaries: RequestSummary[] = [];
  const output = collectingOutput();
  const sandbox = await openSandbox({
    audit: { dir: auditDir },
    tracerProvider,
    ca: authority.caPem,
    resolve: answersForNames,
  });
  let result: RunResult;
  try {
    result = await sandbox.run(wasm, {
      guest: guestName,
      policy,
      env: { API_URL: `https://api.demo.test:${origin.port}` },
      timeoutMs: 10_000,
      stdout: output.stream,
      onRequest: (summary) => summaries.push(summary),
    });
  } finally {
    await sandbox.close();
  }
  await tracerProvider.forceFlush();

  const steps = demoSteps(origin.port);
  const arrived = origin.seen.map(arrivalOf);
  const { allowed, denied, failed } = result.requests;
  print(
    heading(
      "Its requests, as the operator sees them",
      `${allowed} allowed, ${denied} denied, ${failed} failed.`,
    ),
  );
  print(requestTable(summaries.toSorted((a, b) => a.seq - b.seq)));
  print(
    `\n  The server saw ${arrived.length} requests: the allowed ones, and the one that it redirected elsewhere.`,
  );

  print(
    heading(
      "The trace",
      "One span per request, one below it per request on the wire. Jaeger shows the same.",
    ),
  );
  print(indented(printSpanTree(exporter.getFinishedSpans(), { colours, barWidth: 12 })));

  const log = await readAuditLog(auditDir);
  print(
    heading(
      "The audit log",
      `${log.lines.length} records in ${log.file}, a decision always before anything is sent.`,
    ),
  );
  print(auditLines(log.lines));

  print(heading("What to open next", "All paths are relative to the repository, but the audit log's."));
  print(nextSteps(log.file, origin.port));

  const found = [
    ...endDifferences(result),
    ...differences(steps, { output: output.text(), summaries, arrived }),
  ];
  if (found.length === 0) {
    print(
      `\n${styled("green", `As expected: ${steps.length} requests, ${arrivals(steps).length} arrived, every reason right.`)}`,
    );
    return 0;
  }
  for (const sentence of found) process.stderr.write(`${styled("red", "Not as expected:")} ${sentence}\n`);
  return 1;
}

/** Shows the guest's output as it comes, and keeps it. */
function collectingOutput(): { readonly stream: WritableStream<Uint8Array>; text(): string } {
  const decoder = new TextDecoder();
  let kept = "";
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      const words = decoder.decode(chunk, { stream: true });
      const atLineStart = kept === "" || kept.endsWith("\n");
      kept += words;
      process.stdout.write((atLineStart ? "  " : "") + words.replace(/\n(?=.)/gs, "\n  "));
    },
  });
  return { stream, text: () => kept };
}

function endDifferences(result: RunResult): readonly string[] {
  if (result.kind === "exited" && result.code === 0) return [];
  const words = result.kind === "trapped" ? `trapped: ${result.message}` : result.kind;
  const errors = new TextDecoder().decode(result.stderr).trim();
  return [`The guest should end by itself with code 0, but ${words} ${errors}`.trimEnd()];
}

async function readAuditLog(
  dir: string,
): Promise<{ readonly file: string; readonly lines: readonly string[] }> {
  const name = (await readdir(dir)).sort().find((entry) => entry.endsWith(".jsonl"));
  if (name === undefined) throw new Error(`${dir} has no audit log`);
  const file = join(dir, name);
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return { file, lines };
}

function nextSteps(auditFile: string, port: number): string {
  const policy = relative(repositoryDir, policyFile);
  const admin = `https://api.demo.test:${port}/v1/admin/keys`;
  return [
    ["the policy, with a comment on each rule", policy],
    ["the guest", "test/demo/assembly/main.ts"],
    ["the manual", "README.md, docs/"],
    ["the whole audit log", auditFile],
    ["why was that denied?", `npx sallyport policy explain ${policy} GET ${admin}`],
  ]
    .map(([what, where]) => `  ${styled("dim", `${what}`.padEnd(42))}${where}`)
    .join("\n");
}
