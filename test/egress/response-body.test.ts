// The bounded queue between the wire and a reader.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { denialOf } from "../../src/egress/denial.ts";
import { openResponseBody } from "../../src/egress/response-body.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { reasonOf, successOf } from "../support/wire.ts";

function open(clock = fakeClock()) {
  const events = { room: 0, stalls: 0, spent: 0 };
  const body = openResponseBody(clock, {
    onRoom() {
      events.room += 1;
    },
    onStall() {
      events.stalls += 1;
    },
    onSpent() {
      events.spent += 1;
    },
  });
  return { body, events, clock };
}

describe("a response body", () => {
  test("gives back what was put in, in order, whatever the sizes of pieces and reads", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 10 }),
        fc.boolean(),
        async (sizes, reads, readFirst) => {
          const { body, events } = open();
          const whole = Buffer.from(
            Array.from({ length: sizes.reduce((a, b) => a + b, 0) }, (_, i) => (i * 31) % 256),
          );
          const got: Buffer[] = [];
          const first = readFirst ? body.read(reads[0] ?? 1) : undefined;
          let at = 0;
          for (const size of sizes) {
            body.push(whole.subarray(at, at + size));
            at += size;
          }
          body.end();
          if (first !== undefined) got.push(Buffer.from(successOf(await first)));
          for (let count = 0; ; count += 1) {
            const bytesMax = reads[count % reads.length] ?? 1;
            const part = successOf(await body.read(bytesMax));
            if (part.byteLength === 0) break;
            expect(part.byteLength).toBeLessThanOrEqual(bytesMax);
            got.push(Buffer.from(part));
          }
          expect(Buffer.concat(got).equals(whole)).toBe(true);
          expect(events.spent).toBe(1);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("says no from its bound on, and says once that there is room again", async () => {
    const { body, events } = open();
    expect(body.push(new Uint8Array(bounds.responseBufferBytes - 1))).toBe(true);
    expect(body.push(new Uint8Array(1))).toBe(false);
    successOf(await body.read(10));
    successOf(await body.read(10));
    expect(events.room).toBe(1);
    expect(body.push(new Uint8Array(1))).toBe(true);
  });

  test("wakes a waiting reader once for everything that one segment brings", async () => {
    const { body } = open();
    const waiting = body.read(100_000);
    for (let count = 0; count < 1_000; count += 1) body.push(Uint8Array.of(1));
    expect(successOf(await waiting).byteLength).toBe(1_000);
  });

  test("holds many tiny pieces in few objects", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const piece = Uint8Array.of(1);
    collect();
    const before = process.memoryUsage();
    const bodies = Array.from({ length: 10 }, () => {
      const { body } = open();
      for (let count = 0; count < bounds.responseBufferBytes; count += 1) body.push(piece);
      return body;
    });
    collect();
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(bodies.length).toBe(10);
    // The bytes themselves come to 0.6 MiB, as objects of their own to some 60 MiB.
    expect(grown).toBeLessThan(4 * 1024 * 1024);
  });

  test("gives what is there before the failure, and the same failure ever after", async () => {
    const { body, events } = open();
    body.push(Uint8Array.of(1, 2, 3));
    body.fail(denialOf("connection_closed"));
    body.fail(denialOf("connection_reset"));
    expect(successOf(await body.read(2)).byteLength).toBe(2);
    expect(successOf(await body.read(2)).byteLength).toBe(1);
    for (let count = 0; count < 3; count += 1) {
      expect(reasonOf(await body.read(2))).toBe("connection_closed");
    }
    body.cut(denialOf("guest_cancelled"));
    expect(reasonOf(await body.read(2))).toBe("connection_closed");
    expect(events.spent).toBe(1);
  });

  test("that is cut gives nothing more, to waiting readers neither", async () => {
    const { body, events } = open();
    const waiting = [body.read(1), body.read(1)];
    body.cut(denialOf("request_timeout"));
    for (const read of waiting) expect(reasonOf(await read)).toBe("request_timeout");
    const { body: full } = open();
    full.push(Uint8Array.of(1));
    full.cut(denialOf("request_timeout"));
    expect(reasonOf(await full.read(1))).toBe("request_timeout");
    expect(events.spent).toBe(1);
  });

  test("serves readers in their order", async () => {
    const { body } = open();
    const reads = [body.read(1), body.read(2), body.read(3)];
    body.push(Uint8Array.of(1, 2, 3, 4));
    body.end();
    const got = await Promise.all(reads);
    expect(got.map((result) => [...successOf(result)])).toEqual([[1], [2, 3], [4]]);
  });

  test("runs its timer only while somebody waits, anew for each wait", async () => {
    const { body, events, clock } = open();
    body.push(Uint8Array.of(1));
    successOf(await body.read(1));
    expect(clock.waiting).toBe(0);
    for (let count = 0; count < 5; count += 1) {
      const waiting = body.read(1);
      clock.advance(bounds.bodyIdleTimeoutMs - 1);
      body.push(Uint8Array.of(1));
      successOf(await waiting);
    }
    expect([events.stalls, clock.waiting]).toEqual([0, 0]);
    void body.read(1);
    clock.advance(bounds.bodyIdleTimeoutMs);
    expect(events.stalls).toBe(1);
  });
});
