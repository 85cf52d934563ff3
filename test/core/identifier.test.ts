// Identifiers: their form, their order, and where their bits come from.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { ulid } from "../../src/core/identifier.ts";
import { fakeClock } from "../support/fake-clock.ts";

const bytes =
  (...values: number[]) =>
  (): Uint8Array =>
    Uint8Array.from(values);

describe("ulid", () => {
  test("an id is the time and the random bytes in Crockford's base 32", () => {
    const clock = { ...fakeClock(), wallMs: () => 1469918176385 };
    // The time is the ULID specification's own example.
    expect(ulid(clock, bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 1))).toBe("01ARYZ6S410000000000000001");
    const other = { ...fakeClock(), wallMs: () => 2 ** 48 - 1 };
    expect(ulid(other, bytes(255, 255, 255, 255, 255, 255, 255, 255, 255, 255))).toBe(
      "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    );
  });

  test("ids of one clock ascend, also within a millisecond and when the wall clock goes back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 50 }), (times) => {
        let index = 0;
        const clock = { ...fakeClock(), wallMs: () => times[index] ?? 0 };
        const ids = times.map((_, position) => {
          index = position;
          return ulid(clock);
        });
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  test("when all random bits of a millisecond are used up the next one is borrowed", () => {
    const clock = fakeClock();
    const ones = bytes(255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
    const [first, second] = [ulid(clock, ones), ulid(clock, ones)];
    expect(second > first).toBe(true);
    expect(second.slice(10)).toBe("0000000000000000");
  });

  test("the random part of the machine's ids differs from one millisecond to the next", () => {
    const clock = fakeClock();
    const randomParts = new Set<string>();
    for (let count = 0; count < 100; count += 1) {
      randomParts.add(ulid(clock).slice(10));
      clock.advance(1);
    }
    expect(randomParts.size).toBe(100);
    expect(ulid(systemClock)).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });
});
