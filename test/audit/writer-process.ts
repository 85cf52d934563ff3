// A process with an audit log of its own, for tests that take its disk or its life. Prints what was acknowledged.
// `endless DIR`: appends for ever. `asked DIR`: appends as many records at once as each line on its input says.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { openAuditLog } from "../../src/audit/audit-log.ts";
import { systemClock } from "../../src/core/clock.ts";
import { lookup } from "./records.ts";

const [mode, dir = ""] = process.argv.slice(2);
const opened = await openAuditLog({ dir, clock: systemClock });
if (!opened.ok) throw new Error(opened.error.detail);
const log = opened.value;
const say = (words: unknown): void => {
  writeSync(1, `${JSON.stringify(words)}\n`);
};

if (mode === "endless") {
  for (let count = 0; ; count += 1) {
    const batch = await Promise.all([1, 2, 3].map(() => log.append(lookup(count))));
    for (const result of batch) say(result.ok ? result.value : result.error.code);
    // Lets signals and the parent have a turn.
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
say({ ready: log.id });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "close") break;
  const batch = Array.from({ length: Number(line) }, (_, count) => log.append(lookup(count)));
  say(await Promise.all(batch));
}
await log.close();
