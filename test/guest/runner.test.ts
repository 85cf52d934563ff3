// The host's side of one guest, with a thread in the test's hands: whatever it says, the host keeps its footing.
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { GuestThread } from "../../src/guest/guest-thread.ts";
import { type GuestOrder, startGuest } from "../../src/guest/runner.ts";
import type { Answers } from "../../src/guest/thread/message.ts";
import { eventually, orderOf, prepared } from "../support/guest-run.ts";
import { openScriptedGate } from "../support/scripted-gate.ts";

/** A thread that says what the test says. */
function puppetThread() {
  const answers: Answers[keyof Answers][] = [];
  let receive: (message: unknown) => void = () => {};
  let failed: (reason: string | undefined) => void = () => {};
  const thread: GuestThread = {
    runs: 1,
    start(_message, receiver) {
      receive = receiver;
    },
    answer: (answer) => answers.push(answer),
    onFailure(callback) {
      failed = callback;
    },
    hold() {},
    terminate: async () => {},
    exited: Promise.resolve(),
  };
  return {
    thread,
    answers,
    say: (message: object | undefined) => receive(message && { run: 1, ...message }),
    fail: (reason: string | undefined) => failed(reason),
  };
}

async function started(order: Partial<GuestOrder> = {}) {
  const puppet = puppetThread();
  const gate = openScriptedGate();
  const module = await prepared("(module)");
  const plan = { before: [], main: undefined, results: ["i32"] } as const;
  const guest = startGuest(puppet.thread, orderOf({ module, gate, ...order }), plan, systemClock);
  const ask = async (path: string): Promise<void> => {
    const url = `http://allowed.example${path}`;
    puppet.say({ kind: "request", url, method: "GET", headers: [], body: undefined });
  };
  return { ...puppet, gate, guest, ask };
}

const broken = { kind: "trapped", message: "the guest's thread broke the protocol" };

describe("a thread that breaks the protocol ends its guest", () => {
  const rows: readonly (readonly [what: string, message: object | undefined])[] = [
    ["nothing at all", undefined],
    ["a message of another run", { run: 2, kind: "end", memoryBytes: 0, end: { kind: "exited", code: 0 } }],
    ["a message of no known kind", { kind: "connect", host: "169.254.169.254" }],
    ["the close of a response that it does not hold", { kind: "close", handle: 7 }],
    [
      "results that the export does not have",
      { kind: "end", memoryBytes: 0, end: { kind: "returned", values: [] } },
    ],
    [
      "results of another type",
      { kind: "end", memoryBytes: 0, end: { kind: "returned", values: ["<script>"] } },
    ],
  ];
  test.each(rows)("%s", async (_what, message) => {
    const { guest, gate, ask, say, answers } = await started();
    await ask("/hello");
    await eventually("it is answered", () => answers.length === 1);
    expect(gate.open).toBe(1);
    say(message);
    expect(await guest.ended).toEqual(broken);
    expect(guest.clean).toBeUndefined();
    expect(gate.open).toBe(0);
  });

  test("a second call while the first is not answered", async () => {
    const { guest, gate, ask } = await started();
    await ask("/hang");
    await ask("/hello");
    expect(await guest.ended).toEqual(broken);
    await eventually("the first is ended", () => gate.aborted.length === 1);
    expect(gate.aborted).toMatchObject([{ reason: "guest_terminated", stage: "guest", kind: "cancel" }]);
    expect(gate.passed.length).toBe(1);
  });

  test("a flood of calls in one go: at most one passes", async () => {
    const { guest, gate, ask } = await started();
    for (let index = 0; index < 1_000; index += 1) void ask("/hello");
    expect(await guest.ended).toEqual(broken);
    await eventually("nothing is open", () => gate.open === 0);
    expect(gate.passed.length).toBe(1);
  });
});

describe("after the end", () => {
  test("nothing that the thread says has an effect", async () => {
    const { guest, gate, ask, say, answers } = await started();
    say({ kind: "end", memoryBytes: 5, end: { kind: "exited", code: 3 } });
    expect(await guest.ended).toEqual({ kind: "exited", code: 3, results: [] });
    expect(guest.clean).toEqual({ memoryBytes: 5 });
    await ask("/hello");
    say({ kind: "end", memoryBytes: 0, end: { kind: "exited", code: 4 } });
    expect([gate.passed.length, answers.length]).toEqual([0, 0]);
    expect(await guest.ended).toMatchObject({ code: 3 });
  });

  test("a response that comes too late is closed at once", async () => {
    const late = Promise.withResolvers<void>();
    const gate = openScriptedGate();
    const slow = {
      request: async (...request: Parameters<typeof gate.request>) => {
        await late.promise;
        return gate.request(...request);
      },
    };
    const { guest, ask, answers } = await started({ gate: slow });
    await ask("/hello");
    guest.stop({ kind: "aborted" }, "guest_terminated");
    expect(await guest.ended).toEqual({ kind: "aborted" });
    late.resolve();
    await eventually("it was answered by the gate", () => gate.passed.length === 1);
    await eventually("it is closed", () => gate.open === 0);
    expect(answers).toEqual([]);
  });
});

describe("ends from outside", () => {
  test("a thread that dies by itself is a trap, with its reason", async () => {
    const { guest, fail } = await started();
    fail("the guest's thread ran out of memory");
    expect(await guest.ended).toEqual({ kind: "trapped", message: "the guest's thread ran out of memory" });
  });

  test("a deadline ends what is under way with its own reason", async () => {
    const { guest, gate, ask } = await started();
    await ask("/hang");
    guest.stop({ kind: "deadline" }, "run_deadline_exceeded");
    expect(await guest.ended).toEqual({ kind: "deadline" });
    expect(gate.aborted).toMatchObject([{ reason: "run_deadline_exceeded", stage: "timeout" }]);
  });

  test("a gate that fails in a way it must not ends the guest, not the host", async () => {
    const gate = {
      request: async () => {
        throw new Error("a bug");
      },
    };
    const { guest, ask } = await started({ gate });
    await ask("/hello");
    expect(await guest.ended).toEqual({ kind: "trapped", message: "the host failed: Error: a bug" });
  });

  test("a trap's message is bounded", async () => {
    const { guest, say } = await started();
    say({ kind: "end", memoryBytes: 0, end: { kind: "trapped", message: "x".repeat(1_000_000) } });
    const end = await guest.ended;
    expect(end.kind === "trapped" && end.message.length).toBe(1_024);
  });
});
