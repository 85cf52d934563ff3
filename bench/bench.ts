// What Sallyport costs, as ratios taken in one run against the bare thing. One JSON line a measure.
// `--smoke` makes everything short: its figures say that the bench works, not how fast anything is.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { Pool } from "undici";
import type { Policy, Sandbox } from "../src/index.ts";
import { decide, openSandbox, parseDestination, parsePolicy } from "../src/index.ts";
import { compileAssembly } from "../test/support/assemblyscript.ts";

const smoke = process.argv.includes("--smoke");
const rounds = smoke ? 3 : 9;
const requestsPerRound = smoke ? 50 : 500;
const decisionsPerRound = smoke ? 2_000 : 50_000;
const bigMebibytes = smoke ? 16 : 256;

interface Measure {
  readonly measure: string;
  /** How many times the bare thing it costs, median of the rounds. */
  readonly ratio: number;
  readonly target?: number;
  readonly rounds: number;
  readonly note?: string;
}

function report(measure: Measure): void {
  console.log(JSON.stringify({ ...measure, ratio: Math.round(measure.ratio * 1000) / 1000, smoke }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function timeMs(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** The median ratio of two things done in turn, so that what else the machine does meets both. */
async function compare(work: () => unknown, bare: () => unknown): Promise<number> {
  await work();
  await bare();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const workMs = await timeMs(work);
    ratios.push(workMs / (await timeMs(bare)));
  }
  return median(ratios);
}

function policyOf(text: string): Policy {
  const { policy, problems } = parsePolicy(text);
  if (policy === undefined) throw new Error(problems.map(({ message }) => message).join("; "));
  return policy;
}

function bigPolicy(rules: number): Policy {
  const list = Array.from({ length: rules }, (_, index) => ({
    id: `r${String(index)}`,
    to: `https://host-${String(index)}.example.com`,
    methods: ["GET"],
    paths: ["/v1/**"],
  }));
  return policyOf(JSON.stringify({ version: 1, name: "bench", rules: list }));
}

async function measureDecisions(): Promise<void> {
  const url = "https://host-7.example.com/v1/things/42?page=3";
  const parsed = parseDestination(url);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  const request = { method: "GET", destination: parsed.value };
  const bare = (): void => {
    for (let index = 0; index < decisionsPerRound; index += 1) new URL(url);
  };
  const parse = (): void => {
    for (let index = 0; index < decisionsPerRound; index += 1) parseDestination(url);
  };
  report({ measure: "parse / new URL", ratio: await compare(parse, bare), rounds });
  for (const rules of smoke ? [10, 1_000] : [10, 1_000, 100_000]) {
    const policy = bigPolicy(rules);
    if (decide(policy, request).effect !== "allow") throw new Error("the bench's own policy denies it");
    const decideMany = (): void => {
      for (let index = 0; index < decisionsPerRound; index += 1) decide(policy, request);
    };
    const ratio = await compare(decideMany, bare);
    report({ measure: `decide, ${String(rules)} rules / new URL`, ratio, target: 3, rounds });
  }
}

async function startServer(): Promise<{ readonly port: number; close(): void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  return { port, close: () => child.stdin.end() };
}

async function measureRequests(): Promise<void> {
  const guest = await compileAssembly("loop.ts", [
    join(import.meta.dirname, "assembly"),
    join(import.meta.dirname, "../test/demo/assembly"),
  ]);
  const server = await startServer();
  const origin = `http://127.0.0.1:${String(server.port)}`;
  const policy = policyOf(
    JSON.stringify({
      version: 1,
      name: "bench",
      rules: [{ id: "server", to: origin, limits: { timeout: "60s" } }],
    }),
  );
  const dir = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const bare = new Pool(origin, { connections: 1 });
  const plain = await openSandbox();
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() })],
  });
  const recorded = await openSandbox({ audit: { dir }, tracerProvider: provider });

  const ask = async (path: string, count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const { body } = await bare.request({ path, method: "GET" });
      for await (const _chunk of body);
    }
  };
  const runGuest = async (sandbox: Sandbox, path: string, count: number): Promise<void> => {
    const result = await sandbox.run(guest, {
      guest: "bench",
      policy,
      env: { URL: origin + path, COUNT: String(count) },
    });
    if (result.kind !== "exited" || result.code !== 0) throw new Error(JSON.stringify(result));
  };

  try {
    const small = await compare(
      () => runGuest(plain, "/", requestsPerRound),
      () => ask("/", requestsPerRound),
    );
    report({ measure: "guest request in a thread / undici.request", ratio: small, target: 1.5, rounds });

    const on = await compare(
      () => runGuest(recorded, "/", requestsPerRound),
      () => runGuest(plain, "/", requestsPerRound),
    );
    report({ measure: "spans and audit on / off", ratio: on, target: 1.15, rounds });

    const empty = await compare(
      () => runGuest(plain, "/", 0),
      () => ask("/", 1),
    );
    report({ measure: "a run that does nothing / one undici.request", ratio: empty, rounds });

    await runGuest(plain, "/big/1", 1);
    const beforeBytes = process.memoryUsage().rss;
    const bigMs = await timeMs(() => runGuest(plain, `/big/${String(bigMebibytes)}`, 1));
    const grownMebibytes = (process.memoryUsage().rss - beforeBytes) / 2 ** 20;
    const bareMs = await timeMs(() => ask(`/big/${String(bigMebibytes)}`, 1));
    report({
      measure: `${String(bigMebibytes)} MiB through a guest / undici.request`,
      ratio: bigMs / bareMs,
      rounds: 1,
      note: `memory grew by ${grownMebibytes.toFixed(0)} MiB`,
    });
  } finally {
    await bare.close();
    await plain.close();
    await recorded.close();
    await provider.shutdown();
    server.close();
    await rm(dir, { recursive: true });
  }
}

await measureDecisions();
await measureRequests();
