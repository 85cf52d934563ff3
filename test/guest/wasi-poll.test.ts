// poll_oneoff: sleeps as long as asked and never spins, reports in order, and answers for each subscription.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { type FakeGuest, fakeGuest } from "../support/wasi-host.ts";

const success = 0;
const badf = 8;
const fault = 21;
const inval = 28;
const pageBytes = 65_536;
const [result, subscriptionsAt, eventsAt] = [512, 1_024, 32_768];
const msNs = 1_000_000n;

interface Timer {
  readonly userdata: bigint;
  readonly clock: number;
  readonly timeoutNs: bigint;
  readonly flags?: number;
}

interface Stream {
  readonly userdata: bigint;
  readonly type: number;
  readonly fd: number;
}

function subscribe(guest: FakeGuest, wanted: readonly (Timer | Stream)[]): number {
  for (const [index, each] of wanted.entries()) {
    const at = subscriptionsAt + index * 48;
    guest.memory.writeU64(at, each.userdata);
    if ("fd" in each) {
      guest.memory.writeU8(at + 8, each.type);
      guest.memory.writeU32(at + 16, each.fd);
    } else {
      guest.memory.writeU8(at + 8, 0);
      guest.memory.writeU32(at + 16, each.clock);
      guest.memory.writeU64(at + 24, each.timeoutNs);
      guest.memory.writeU16(at + 40, each.flags ?? 0);
    }
  }
  return wanted.length;
}

interface Event {
  readonly userdata: bigint;
  readonly error: number;
  readonly type: number;
  readonly bytes: bigint;
  readonly flags: number;
}

function poll(guest: FakeGuest, wanted: readonly (Timer | Stream)[]): Event[] {
  const count = subscribe(guest, wanted);
  guest.bytes().fill(0xee, eventsAt, eventsAt + count * 32 + 32);
  expect(guest.call("poll_oneoff", subscriptionsAt, eventsAt, count, result)).toBe(success);
  const reported = guest.memory.readU32(result);
  if (!reported.ok) throw new Error(reported.error);
  const events = reported.value;
  const view = new DataView(guest.bytes().slice(eventsAt, eventsAt + events * 32 + 1).buffer);
  expect(view.getUint8(events * 32)).toBe(0xee);
  return Array.from({ length: events }, (_, index) => {
    const at = index * 32;
    return {
      userdata: view.getBigUint64(at, true),
      error: view.getUint16(at + 8, true),
      type: view.getUint8(at + 10),
      bytes: view.getBigUint64(at + 16, true),
      flags: view.getUint16(at + 24, true),
    };
  });
}

function timer(userdata: bigint, timeoutNs: bigint, clock = 1): Timer {
  return { userdata, clock, timeoutNs };
}

function fired(userdata: bigint): Event {
  return { userdata, error: 0, type: 0, bytes: 0n, flags: 0 };
}

const readInput: Stream = { userdata: 77n, type: 1, fd: 0 };
const writeOutput: Stream = { userdata: 88n, type: 2, fd: 1 };

describe("timers", () => {
  test("a duration passes by sleeping once", () => {
    const guest = fakeGuest();
    expect(poll(guest, [timer(2n ** 64n - 1n, 150n * msNs)])).toEqual([fired(2n ** 64n - 1n)]);
    expect(guest.nowNs).toBe(150n * msNs);
    expect(guest.sleepsMs).toEqual([150]);
  });

  test("after a sleep the guest's own coarse clock has passed the deadline, so that it need not poll again", () => {
    const guest = fakeGuest();
    guest.nowNs = 1_234_567n;
    guest.call("clock_time_get", 1, 0n, 0);
    const before = guest.memory.readU64(0);
    poll(guest, [timer(1n, 1_000_001n)]);
    guest.call("clock_time_get", 1, 0n, 0);
    const after = guest.memory.readU64(0);
    if (!before.ok || !after.ok) throw new Error("no time");
    expect(after.value - before.value).toBeGreaterThanOrEqual(1_000_001n);
    expect(guest.nowNs - 1_234_567n).toBeGreaterThanOrEqual(1_000_001n);
    expect(guest.nowNs - 1_234_567n).toBeLessThanOrEqual(1_100_001n);
    expect(guest.sleepsMs).toHaveLength(1);
  });

  test("a duration of the wall clock is over no sooner for that clock's whole milliseconds", () => {
    // As a real thread does: it wakes a little early, and its wall clock shows the beginning of each millisecond.
    const guest = fakeGuest({ wakesEarlyMs: 0.5 });
    guest.nowNs += 900_000n;
    guest.realtimeNs += 900_000n;
    expect(poll(guest, [{ userdata: 1n, clock: 0, timeoutNs: 30n * msNs, flags: 0 }])).toHaveLength(1);
    expect(guest.nowNs - 900_000n).toBeGreaterThanOrEqual(30n * msNs);
  });

  test("a point in time that has come, but not by the clock that the guest sees, is waited for", () => {
    const guest = fakeGuest();
    guest.nowNs = 1_250_000n;
    expect(poll(guest, [{ userdata: 1n, clock: 1, timeoutNs: 1_220_000n, flags: 1 }])).toEqual([fired(1n)]);
    expect(guest.nowNs).toBe(1_300_000n);
  });

  test("of several, the earliest ends the wait; those that end at the same time come in order", () => {
    const guest = fakeGuest();
    const events = poll(guest, [
      timer(1n, 30n * msNs),
      timer(2n, 10n * msNs),
      timer(3n, 20n * msNs),
      timer(4n, 10n * msNs),
    ]);
    expect(events).toEqual([fired(2n), fired(4n)]);
    expect(guest.nowNs).toBe(10n * msNs);
  });

  test("a duration of zero reports at once without sleeping", () => {
    const guest = fakeGuest();
    guest.nowNs = 55_555n;
    expect(poll(guest, [timer(1n, 0n), timer(2n, msNs)])).toEqual([fired(1n)]);
    expect(guest.sleepsMs).toEqual([]);
  });

  test.each([
    ["monotonic", 1],
    ["real-time", 0],
  ])("a point in time on the %s clock, to come or past", (_name, clock) => {
    const guest = fakeGuest();
    guest.nowNs = 500n * msNs;
    const now = clock === 1 ? guest.nowNs : guest.realtimeNs;
    expect(poll(guest, [{ userdata: 1n, clock, timeoutNs: now + 40n * msNs, flags: 1 }])).toEqual([
      fired(1n),
    ]);
    expect(guest.nowNs).toBe(540n * msNs);
    expect(poll(guest, [{ userdata: 2n, clock, timeoutNs: now, flags: 1 }])).toEqual([fired(2n)]);
    expect(guest.nowNs).toBe(540n * msNs);
  });

  test("no sleep is longer than a timer of the host can be, and the whole wait is as long as asked", () => {
    const guest = fakeGuest();
    const days = 30n * 86_400_000n;
    expect(poll(guest, [timer(1n, days * msNs)])).toEqual([fired(1n)]);
    expect(guest.nowNs).toBe(days * msNs);
    expect(Math.max(...guest.sleepsMs)).toBe(bounds.wasiSleepMsMax);
  });

  test("the longest duration does not overflow into a short one", () => {
    const guest = fakeGuest();
    guest.nowNs = msNs;
    expect(poll(guest, [timer(1n, 2n ** 64n - 1n), timer(2n, msNs)])).toEqual([fired(2n)]);
    expect(poll(guest, [timer(1n, 2n ** 64n - 1n), timer(2n, msNs, 0)])).toEqual([fired(2n)]);
  });

  test("an unknown clock or flag is an error of that event", () => {
    const guest = fakeGuest();
    const events = poll(guest, [
      timer(1n, 5n * msNs),
      timer(2n, 0n, 2),
      timer(3n, 0n, 0xffff_ffff),
      { userdata: 4n, clock: 1, timeoutNs: 0n, flags: 2 },
    ]);
    expect(events).toEqual([2n, 3n, 4n].map((userdata) => ({ ...fired(userdata), error: inval })));
    expect(guest.sleepsMs).toEqual([]);
  });
});

describe("streams", () => {
  test("output is always ready, with the room of one chunk", () => {
    const guest = fakeGuest();
    const events = poll(guest, [writeOutput, timer(1n, msNs), { userdata: 89n, type: 2, fd: 2 }]);
    const room = { error: 0, type: 2, bytes: BigInt(bounds.outputChunkBytesMax), flags: 0 };
    expect(events).toEqual([
      { userdata: 88n, ...room },
      { userdata: 89n, ...room },
    ]);
    expect(guest.nowNs).toBe(0n);
  });

  test("input that is there is ready with its bytes, and reading it does not ask the host again", () => {
    const guest = fakeGuest({ input: [{ atMs: 0, text: "hello" }] });
    const ready = { userdata: 77n, error: 0, type: 1, bytes: 5n, flags: 0 };
    expect(poll(guest, [readInput])).toEqual([ready]);
    expect(poll(guest, [readInput])).toEqual([ready]);
    guest.memory.writeU32(0, 5_000);
    guest.memory.writeU32(4, 3);
    expect(guest.call("fd_read", 0, 0, 1, result)).toBe(success);
    expect(poll(guest, [readInput])).toEqual([{ ...ready, bytes: 2n }]);
    expect(guest.reads).toEqual([0]);
  });

  test("input that is to come ends the wait when it comes", () => {
    const guest = fakeGuest({ input: [{ atMs: 20, text: "late" }] });
    expect(poll(guest, [timer(1n, 50n * msNs), readInput])).toEqual([
      { userdata: 77n, error: 0, type: 1, bytes: 4n, flags: 0 },
    ]);
    expect(guest.nowNs).toBe(20n * msNs);
    expect(guest.sleepsMs).toEqual([]);
  });

  test("input that is still to come when the time is over is not ready, nor at its end", () => {
    const guest = fakeGuest({ input: [{ atMs: 80, text: "later" }] });
    expect(poll(guest, [timer(1n, 50n * msNs), readInput])).toEqual([fired(1n)]);
    expect(guest.nowNs).toBe(50n * msNs);
    expect(poll(guest, [readInput])).toMatchObject([{ userdata: 77n, bytes: 5n }]);
    expect(guest.nowNs).toBe(80n * msNs);
  });

  test("the end of input is ready with no bytes and the hangup flag, every time", () => {
    const guest = fakeGuest();
    const hangup = { userdata: 77n, error: 0, type: 1, bytes: 0n, flags: 1 };
    expect(poll(guest, [readInput])).toEqual([hangup]);
    expect(poll(guest, [timer(1n, msNs), readInput])).toEqual([hangup]);
    expect(guest.nowNs).toBe(0n);
  });

  test("waiting for input alone sets no bound", () => {
    const guest = fakeGuest({ input: [{ atMs: 200_000, text: "!" }] });
    expect(poll(guest, [readInput])).toHaveLength(1);
    expect(guest.reads).toEqual([0, undefined]);
  });

  const unfit: readonly (readonly [string, number, number])[] = [
    ["reading standard output", 1, 1],
    ["reading standard error", 1, 2],
    ["writing standard input", 2, 0],
    ["reading what is not open", 1, 3],
    ["writing what is not open", 2, 0xffff_ffff],
  ];
  test.each(unfit)("%s is badf in its event, beside what is ready", (_what, type, fd) => {
    const guest = fakeGuest();
    const events = poll(guest, [{ userdata: 5n, type, fd }, writeOutput]);
    expect(events[0]).toEqual({ userdata: 5n, error: badf, type, bytes: 0n, flags: 0 });
    expect(events[1]).toMatchObject({ userdata: 88n, error: 0 });
  });

  test("a closed stream is badf", () => {
    const guest = fakeGuest();
    guest.call("fd_close", 1);
    expect(poll(guest, [writeOutput])).toMatchObject([{ userdata: 88n, error: badf }]);
  });
});

describe("hostile calls", () => {
  const rows: readonly (readonly [what: string, values: readonly number[], error: number])[] = [
    ["no subscription", [subscriptionsAt, eventsAt, 0, result], inval],
    ["more than bounds.wasiSubscriptionsMax", [0, 0, bounds.wasiSubscriptionsMax + 1, result], inval],
    ["a count of all ones", [0, 0, -1, result], inval],
    ["a count that overflows when multiplied", [0, 0, 0x0555_5556, result], inval],
    ["subscriptions beyond memory", [pageBytes - 47, eventsAt, 1, result], fault],
    ["subscriptions at the end of the address space", [-48, eventsAt, 1, result], fault],
    ["events beyond memory", [subscriptionsAt, pageBytes - 31, 1, result], fault],
    ["events at the end of the address space", [subscriptionsAt, -32, 1, result], fault],
    ["a result beyond memory", [subscriptionsAt, eventsAt, 1, pageBytes - 3], fault],
  ];
  test.each(rows)("%s", (_what, values, error) => {
    const guest = fakeGuest();
    subscribe(guest, [timer(1n, msNs)]);
    expect(guest.call("poll_oneoff", ...values)).toBe(error);
    expect(guest.sleepsMs).toEqual([]);
  });

  test.each([3, 255])("an unknown type %d is inval for the call, which waits for nothing", (type) => {
    const guest = fakeGuest();
    const count = subscribe(guest, [timer(1n, msNs), { userdata: 1n, type, fd: 0 }]);
    expect(guest.call("poll_oneoff", subscriptionsAt, eventsAt, count, result)).toBe(inval);
    expect(guest.sleepsMs).toEqual([]);
  });

  test("bounds.wasiSubscriptionsMax subscriptions are served", () => {
    const guest = fakeGuest({ memory: new WebAssembly.Memory({ initial: 8 }) });
    const count = bounds.wasiSubscriptionsMax;
    for (let index = 0; index < count; index += 1) {
      guest.memory.writeU64(subscriptionsAt + index * 48, BigInt(index));
      guest.memory.writeU32(subscriptionsAt + index * 48 + 16, 1);
      guest.memory.writeU64(subscriptionsAt + index * 48 + 24, msNs);
    }
    const events = subscriptionsAt + count * 48;
    expect(guest.call("poll_oneoff", subscriptionsAt, events, count, 0)).toBe(success);
    expect(guest.memory.readU32(0)).toEqual({ ok: true, value: count });
    expect(guest.memory.readU64(events + (count - 1) * 32)).toEqual({ ok: true, value: BigInt(count - 1) });
  });

  test("events may overwrite the subscriptions that they answer", () => {
    const guest = fakeGuest();
    subscribe(guest, [writeOutput, { ...writeOutput, userdata: 90n }]);
    expect(guest.call("poll_oneoff", subscriptionsAt, subscriptionsAt, 2, result)).toBe(success);
    expect(guest.memory.readU64(subscriptionsAt)).toEqual({ ok: true, value: 88n });
    expect(guest.memory.readU64(subscriptionsAt + 32)).toEqual({ ok: true, value: 90n });
  });
});
