// Identifiers of logs, runs and requests: ULIDs, which sort by time and cannot be guessed.
// Never made of anything that a guest supplies.

import type { Clock } from "./clock.ts";

/** Gives `count` unpredictable bytes. */
export type RandomBytes = (count: number) => Uint8Array;

interface Last {
  timeMs: number;
  random: Uint8Array;
}

// Crockford's base 32: no I, L, O, U, so that an id survives being read aloud.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const timeMsMax = 2 ** 48 - 1;
const randomLength = 10;

// Per clock and not per process, so that a test's clock does not drag the machine's ids along.
const lasts = new WeakMap<Clock, Last>();

/**
 * A new ULID: 26 characters, 48 bits of wall time in milliseconds and 80 random bits. INVARIANT (ids ascend): each is
 * greater than the one before of the same clock, within one millisecond and when the wall clock goes back, too.
 */
export function ulid(clock: Clock, randomBytes: RandomBytes = systemRandomBytes): string {
  const nowMs = Math.min(Math.max(Math.floor(clock.wallMs()), 0), timeMsMax);
  const last = lasts.get(clock);
  const next =
    last === undefined || nowMs > last.timeMs
      ? { timeMs: nowMs, random: randomBytes(randomLength) }
      : after(last);
  lasts.set(clock, next);
  return encodeTime(next.timeMs) + encodeBytes(next.random);
}

/** The machine's own source of randomness. */
function systemRandomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

function after(last: Last): Last {
  const random = last.random.slice();
  for (let index = random.length - 1; index >= 0; index -= 1) {
    const raised = ((random[index] ?? 0) + 1) & 0xff;
    random[index] = raised;
    if (raised !== 0) return { timeMs: last.timeMs, random };
  }
  // All 80 bits were ones: borrow the next millisecond, where the ULID specification would give up.
  return { timeMs: last.timeMs + 1, random };
}

function encodeTime(timeMs: number): string {
  let text = "";
  // Above 2 ** 32 bit operations would cut the number, so this divides.
  for (let rest = timeMs, count = 0; count < 10; count += 1, rest = Math.floor(rest / 32)) {
    text = alphabet.charAt(rest % 32) + text;
  }
  return text;
}

function encodeBytes(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let heldBits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    heldBits += 8;
    while (heldBits >= 5) {
      heldBits -= 5;
      text += alphabet.charAt((held >> heldBits) & 31);
    }
    held &= (1 << heldBits) - 1;
  }
  return text;
}
