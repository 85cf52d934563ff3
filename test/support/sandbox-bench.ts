// A sandbox with everything switched on, for tests of the whole: audit in a fresh folder, spans in memory,
// summaries in a list. All of it is gone when the test ends.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  Policy,
  RequestSummary,
  RunOptions,
  RunResult,
  Sandbox,
  SandboxOptions,
} from "../../src/index.ts";
import { openSandbox, parsePolicy } from "../../src/index.ts";
import { buildRequester, linesOf, stdinOf } from "./requester.ts";
import type { SpanSink } from "./spans.ts";
import { openSpanSink } from "./spans.ts";

/** A sandbox and what it wrote. */
export interface SandboxBench extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly auditDir: string;
  readonly sink: SpanSink;
  /** Summaries of all runs so far. */
  readonly summaries: RequestSummary[];
  /** Runs the requester with this script, one step a line; its output is in `lines`. */
  script(steps: readonly string[], options: ScriptOptions): Promise<ScriptResult>;
}

/** What a script is run with. */
export type ScriptOptions = Omit<RunOptions, "guest" | "stdin"> & { readonly guest?: string };

/** How the script ended, and what it printed. */
export type ScriptResult = RunResult & { readonly lines: readonly string[] };

/** Opens a sandbox for a test. */
export async function openSandboxBench(options: SandboxOptions = {}): Promise<SandboxBench> {
  const auditDir = await mkdtemp(join(tmpdir(), "sallyport-test-"));
  const sink = openSpanSink();
  const sandbox = await openSandbox({ audit: { dir: auditDir }, tracerProvider: sink.provider, ...options });
  const summaries: RequestSummary[] = [];
  return {
    sandbox,
    auditDir,
    sink,
    summaries,
    async script(steps, runOptions) {
      const result = await sandbox.run(await buildRequester(), {
        guest: "requester",
        onRequest: (summary) => summaries.push(summary),
        ...runOptions,
        stdin: stdinOf(steps.map((step) => `${step}\n`).join("")),
      });
      return { ...result, lines: linesOf(result.stdout) };
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await sink.provider.shutdown();
      await rm(auditDir, { recursive: true, force: true });
    },
  };
}

/** A policy from its rules; throws on anything that is wrong with it. */
export function policyOf(document: Readonly<Record<string, unknown>>): Policy {
  const { policy, problems } = parsePolicy(JSON.stringify({ version: 1, name: "test", ...document }));
  if (policy === undefined) throw new Error(problems.map((problem) => problem.message).join("\n"));
  return policy;
}

/** A policy that allows these patterns and what is on this machine. */
export function allowing(...to: readonly string[]): Policy {
  return policyOf({ rules: [{ id: "allowed", to, addresses: ["loopback"] }] });
}
