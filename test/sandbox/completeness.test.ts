// Goal: what the server saw, what the audit log allows and what the trace sent are the same set of requests.
// Method: ten thousand random requests by guests and by host-side code, allowed and denied ones mixed, some of them
// aborted or closed early; then the three sets are compared by a mark that each request carries in its path.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Policy } from "../../src/index.ts";
import { auditLines, recordsOf } from "../support/audit-lines.ts";
import type { Origin } from "../support/origin.ts";
import { startOrigin } from "../support/origin.ts";
import { openSandboxBench, policyOf } from "../support/sandbox-bench.ts";

const guests = 20;
const requestsPerGuest = 450;
const fetches = 1_000;

let origin: Origin;
let elsewhere: Origin;

beforeAll(async () => {
  elsewhere = await startOrigin({ handler: (_request, response) => response.end("there") });
  origin = await startOrigin({
    handler({ path }, response) {
      const [, verb, mark] = path.split("/");
      if (verb === "redirect") response.writeHead(302, { location: `/ok/${mark ?? ""}-next` }).end("moved");
      else if (verb === "away")
        response
          .writeHead(302, { location: `http://evil.test:${String(origin.port)}/ok/${mark ?? ""}-evil` })
          .end();
      else if (verb === "across")
        response.writeHead(307, { location: `${elsewhere.url}/ok/${mark ?? ""}-across` }).end();
      else if (verb === "error") response.writeHead(500).end("no");
      else response.end("x".repeat(Number(mark?.length ?? 0) * 100));
    },
  });
});

afterAll(async () => {
  await origin.close();
  await elsewhere.close();
});

// A small generator with a seed, so that a failure can be run again.
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const verbs = [
  "ok",
  "redirect",
  "away",
  "across",
  "error",
  "denied",
  "host",
  "port",
  "method",
  "address",
] as const;

function urlOf(verb: (typeof verbs)[number], mark: string): string {
  const at = `${String(origin.port)}/${verb}/${mark}`;
  if (verb === "host") return `http://other.test:${at}`;
  if (verb === "port") return `http://api.test:1/${verb}/${mark}`;
  if (verb === "address") return `http://ungranted.test:${at}`;
  return `http://api.test:${at}`;
}

const policy = (): Policy =>
  policyOf({
    limits: { rate: "1000000/s", burst: 1_000_000, concurrent: 500 },
    rules: [
      { id: "api", to: `http://api.test:${String(origin.port)}`, methods: ["GET"], addresses: ["loopback"] },
      { id: "across", to: elsewhere.url, methods: ["GET"] },
      {
        id: "no-denied",
        effect: "deny",
        to: `http://api.test:${String(origin.port)}`,
        paths: ["/denied/**"],
      },
      { id: "ungranted", to: `http://ungranted.test:${String(origin.port)}` },
    ],
  });

test("server, audit log and trace agree on ten thousand random requests", { timeout: 240_000 }, async () => {
  await using bench = await openSandboxBench({
    resolve: { "api.test": ["127.0.0.1"], "ungranted.test": ["127.0.0.1"] },
  });
  const random = randomFrom(20261122);
  const shared = policy();
  const stepsOf = (guest: number): string[] =>
    Array.from({ length: requestsPerGuest }, (_, index) => {
      const verb = verbs[random(verbs.length)] ?? "ok";
      const url = urlOf(verb, `g${String(guest)}-${String(index)}`);
      const method = verb === "method" ? "DELETE" : "GET";
      // Some responses are closed without being read, some are read a little.
      const kind = random(10);
      if (kind === 0) return `get ${method} ${url} x-a:1`;
      return `get ${method} ${url}`;
    });

  const runs = Array.from({ length: guests }, (_, guest) =>
    bench.script(stepsOf(guest), { policy: shared, guest: `tenant-${String(guest % 7)}` }),
  );
  const hostSide = Promise.all(
    Array.from({ length: fetches }, async (_, index) => {
      const verb = verbs[random(verbs.length)] ?? "ok";
      const method = verb === "method" ? "DELETE" : "GET";
      const careless = random(4);
      const controller = new AbortController();
      try {
        const url = urlOf(verb, `f-${String(index)}`);
        const response = await bench.sandbox.fetch(url, {
          guest: "host",
          policy: shared,
          method,
          signal: controller.signal,
        });
        if (careless === 0) await response.body?.cancel();
        else if (careless === 1) controller.abort();
        else await response.text();
      } catch {
        // A refusal is expected; what matters is that it was recorded.
      }
    }),
  );
  for (const run of await Promise.all(runs)) expect(run.kind).toBe("exited");
  await hostSide;
  await bench.sandbox.close();

  const seen = [...origin.seen.map(({ path }) => path), ...elsewhere.seen.map(({ path }) => path)].sort();
  const decisions = recordsOf(bench.auditDir, "request.decision");
  const allowed = decisions
    .filter(({ decision }) => decision === "allow")
    .map(({ path }) => String(path))
    .sort();
  const spans = await bench.sink.spans();
  const sent = spans
    .filter(({ kind }) => kind === 2)
    .map(({ attributes }) => new URL(String(attributes["url.full"])).pathname)
    .sort();
  expect(seen.length).toBeGreaterThan(4_000);
  expect(allowed).toEqual(seen);
  expect(sent).toEqual(seen);

  // Every request: one span, one end, one decision for each hop, and none without a request.
  const total = guests * requestsPerGuest + fetches;
  const requestSpans = spans.filter(
    ({ attributes }) =>
      attributes["egress.request.seq"] !== undefined && attributes["egress.outcome"] !== undefined,
  );
  const ends = recordsOf(bench.auditDir, "request.end").map(({ req }) => String(req));
  expect(requestSpans).toHaveLength(total);
  expect(new Set(ends).size).toBe(total);
  expect(ends).toHaveLength(total);
  expect(new Set(decisions.map(({ req }) => String(req))).size).toBe(total);
  const sequence = auditLines(bench.auditDir).map(({ seq }) => seq);
  expect(sequence).toEqual(sequence.map((_, index) => index));
});
