// A program of its own for audit-unavailable.test.ts: an embedder whose audit disk fills up while its guest asks on.
// Prints, as JSON, what the guest got and what the summaries say.
import { allowing, openSandboxBench } from "../support/sandbox-bench.ts";

const [url = "", count = "0"] = process.argv.slice(2);
await using bench = await openSandboxBench();
const result = await bench.script(Array(Number(count)).fill(`get GET ${url}`), { policy: allowing(url) });
const reasons = bench.summaries.map(({ decision, reason }) => `${decision} ${reason ?? "ok"}`);
console.log(JSON.stringify({ lines: result.lines, reasons }));
