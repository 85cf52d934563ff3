// Every hostile guest through the whole sandbox, with a real server behind it: it ends as it must, another guest beside
// it is not disturbed, and it leaves no open response, no socket, no unfinished record.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SallyportError } from "../../src/index.ts";
import { recordsOf } from "../support/audit-lines.ts";
import {
  allowedName,
  compileHostile,
  hostileConcurrent,
  hostileDeadlineMs,
  hostileMemoryBytesMax,
  hostilePrograms,
  hostileRoutes,
  hostileTimeoutMs,
} from "../support/hostile-programs.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import type { SandboxBench } from "../support/sandbox-bench.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

let origin: Origin;
let bench: SandboxBench;

beforeAll(async () => {
  // The programs have five digits for the port in their data.
  do {
    await origin?.close();
    origin = await startOrigin({
      handler({ path }, response) {
        const route = hostileRoutes[path];
        if (route === undefined) return void response.writeHead(404).end();
        if (route.status === 0) return;
        response.writeHead(route.status, route.headers.flat());
        if (route.end === "end") return void response.end(route.body);
        response.flushHeaders();
        if (route.body !== "") response.write(route.body);
        if (route.end === "reset") response.destroy();
      },
    });
  } while (origin.port < 10_000);
  bench = await openSandboxBench({ resolve: { [allowedName]: ["127.0.0.1"] } });
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await origin.close();
});

const policy = () =>
  policyOf({
    rules: [{ id: "allowed", to: `http://${allowedName}:${String(origin.port)}`, addresses: ["loopback"] }],
  });

test.each(hostilePrograms)(
  "$file ends as it must and disturbs nobody",
  async ({ file, invoke, expectation, passed }) => {
    const wasm = await compileHostile(file, origin.port);
    const before = origin.seen.length;
    const shared = policy();
    const hostile = bench.sandbox.run(wasm, {
      guest: `hostile/${file}`,
      policy: shared,
      invoke,
      concurrent: hostileConcurrent,
      memoryBytesMax: hostileMemoryBytesMax,
      timeoutMs: expectation.kind === "deadline" ? hostileDeadlineMs : hostileTimeoutMs,
    });
    hostile.catch(() => {});
    const neighbour = bench.script([`get GET http://${allowedName}:${String(origin.port)}/hello`], {
      policy: shared,
      guest: "neighbour",
    });

    if (expectation.kind === "rejected") {
      const rejected = await hostile.then(
        () => undefined,
        (fault: unknown) => fault,
      );
      expect(rejected).toBeInstanceOf(SallyportError);
      expect(rejected).toMatchObject({
        code: "module_invalid",
        message: expect.stringMatching(expectation.message),
      });
    } else if (expectation.kind === "trapped") {
      expect(await hostile).toMatchObject({
        kind: "trapped",
        message: expect.stringMatching(expectation.message),
      });
    } else expect(await hostile).toMatchObject(expectation);

    expect((await neighbour).lines).toEqual(["200 5"]);
    if (passed !== undefined) expect(origin.seen.length - before - 1).toBe(passed);
  },
);

test("no socket is left: idle connections wait for their guest's next run, and not for long", async () => {
  await vi.waitFor(() => expect(origin.openSockets).toBe(0), { timeout: 10_000 });
});

test("every request of every hostile guest has its decision and its end", async () => {
  await bench.sandbox.close();
  const decided = new Set(recordsOf(bench.auditDir, "request.decision").map(({ req }) => String(req)));
  const ended = recordsOf(bench.auditDir, "request.end").map(({ req }) => String(req));
  expect(ended.length).toBeGreaterThan(100);
  expect(new Set(ended)).toEqual(decided);
  expect(new Set(ended).size).toBe(ended.length);
  const runs = recordsOf(bench.auditDir, "run.start").map(({ run }) => run);
  expect(
    recordsOf(bench.auditDir, "run.end")
      .map(({ run }) => run)
      .sort(),
  ).toEqual(runs.toSorted());
});
