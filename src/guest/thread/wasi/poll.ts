// poll_oneoff: waits for timers and streams. Never spins: whatever there is to wait for, the thread sleeps.
import { assert } from "../../../core/assert.ts";
import { bounds } from "../../../core/bounds.ts";
import { clockOf, coarseNs, type GuestClock } from "./clocks.ts";
import { type Errno, errno } from "./errno.ts";
import type { WasiHost } from "./host.ts";
import { clockAbsolute, clockId, eventHangup, eventLayout, eventType, subscriptionLayout } from "./layout.ts";
import type { WasiFunctions } from "./signatures.ts";
import type { Stdio } from "./stdio.ts";

/** What one subscription waits for. */
type Condition =
  | { readonly kind: "failed"; readonly error: Errno }
  | { readonly kind: "timer"; readonly clock: GuestClock; readonly deadlineNs: bigint }
  | { readonly kind: "input" }
  | { readonly kind: "output" };

interface Subscription {
  /** The guest's own mark, given back in the event. */
  readonly userdata: bigint;
  readonly type: number;
  readonly condition: Condition;
}

const nsPerMs = 1e6;

/** poll_oneoff. Events come in the order of their subscriptions; an error of one is an event, not the call's. */
export function pollFunctions(host: WasiHost, stdio: Stdio): WasiFunctions<"poll_oneoff"> {
  const { memory } = host;

  function pollOneoff(input: number, output: number, count: number, resultPointer: number): number {
    if (count === 0 || count > bounds.wasiSubscriptionsMax) return errno.inval;
    const bytes = memory.readBytes(input, count * subscriptionLayout.size);
    if (!bytes.ok || !memory.check(output, count * eventLayout.size).ok) return errno.fault;
    if (!memory.check(resultPointer, 4).ok) return errno.fault;
    const subscriptions = readSubscriptions(host, stdio, new DataView(bytes.value.buffer));
    if (subscriptions === undefined) return errno.inval;
    const ready = waitForAny(host, stdio, subscriptions);
    memory.writeBytes(output, eventBytes(stdio, ready));
    memory.writeU32(resultPointer, ready.length);
    return errno.success;
  }

  return { poll_oneoff: pollOneoff };
}

// Undefined when one is of a type that does not exist, as there is no event to report that with.
function readSubscriptions(host: WasiHost, stdio: Stdio, view: DataView): Subscription[] | undefined {
  const subscriptions: Subscription[] = [];
  for (let at = 0; at < view.byteLength; at += subscriptionLayout.size) {
    const type = view.getUint8(at + subscriptionLayout.tag);
    const condition =
      type === eventType.clock
        ? timerCondition(host, view, at)
        : streamCondition(stdio, type, view.getUint32(at + subscriptionLayout.descriptor, true));
    if (condition === undefined) return undefined;
    const userdata = view.getBigUint64(at + subscriptionLayout.userdata, true);
    subscriptions.push({ userdata, type, condition });
  }
  return subscriptions;
}

function timerCondition(host: WasiHost, view: DataView, at: number): Condition {
  const clock = clockOf(host, view.getUint32(at + subscriptionLayout.clockId, true));
  const flags = view.getUint16(at + subscriptionLayout.clockFlags, true);
  if (clock === undefined || (flags & ~clockAbsolute) !== 0) return { kind: "failed", error: errno.inval };
  const timeoutNs = view.getBigUint64(at + subscriptionLayout.clockTimeout, true);
  if (flags === clockAbsolute) return { kind: "timer", clock, deadlineNs: timeoutNs };
  // A duration is one of the monotonic clock's whichever clock is named: the wall clock has whole milliseconds, so that
  // 30 of them could be over after 29, and it can be set.
  const monotonic = clockOf(host, clockId.monotonic) ?? clock;
  // A duration of zero asks what is ready now and must not wait for the next grain.
  const deadlineNs = timeoutNs === 0n ? 0n : monotonic.exactNs() + timeoutNs;
  return { kind: "timer", clock: monotonic, deadlineNs };
}

function streamCondition({ descriptors }: Stdio, type: number, fd: number): Condition | undefined {
  if (type !== eventType.fdRead && type !== eventType.fdWrite) return undefined;
  const kind = type === eventType.fdRead ? "input" : "output";
  const stream = descriptors.get(fd)?.stream;
  const fits = stream !== undefined && (stream === 0) === (kind === "input");
  return fits ? { kind } : { kind: "failed", error: errno.badf };
}

function waitForAny(host: WasiHost, stdio: Stdio, subscriptions: readonly Subscription[]): Subscription[] {
  const wantsInput = subscriptions.some(({ condition }) => condition.kind === "input");
  let inputState = wantsInput ? stdio.input.wait(0) : "pending";
  for (;;) {
    const ready = subscriptions.filter(({ condition }) => isReady(condition, inputState !== "pending"));
    if (ready.length > 0) return ready;
    const waitMs = untilNextTimerMs(subscriptions);
    if (wantsInput) {
      inputState = stdio.input.wait(waitMs);
    } else {
      assert(waitMs !== undefined, "what is neither timer nor input is ready at once");
      host.sleep(waitMs);
    }
  }
}

// A timer ends by the clock that the guest can read. By the exact one, a guest could wake and see by its own clock
// that the time has not come, and would have to spin.
function isReady(condition: Condition, inputReady: boolean): boolean {
  if (condition.kind === "timer") return coarseNs(condition.clock) >= condition.deadlineNs;
  return condition.kind === "input" ? inputReady : true;
}

// Bounded, so that no timer of the host overflows; the caller looks again afterwards. Undefined without timers.
function untilNextTimerMs(subscriptions: readonly Subscription[]): number | undefined {
  let nextMs: number | undefined;
  for (const { condition } of subscriptions) {
    if (condition.kind !== "timer") continue;
    const { clock, deadlineNs } = condition;
    const shownAtNs = ((deadlineNs + clock.grainNs - 1n) / clock.grainNs) * clock.grainNs;
    const leftMs = Number(shownAtNs - clock.exactNs()) / nsPerMs;
    nextMs = Math.min(nextMs ?? bounds.wasiSleepMsMax, Math.max(leftMs, 0));
  }
  return nextMs;
}

function eventBytes({ input }: Stdio, ready: readonly Subscription[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(ready.length * eventLayout.size));
  for (const [index, { userdata, type, condition }] of ready.entries()) {
    const at = index * eventLayout.size;
    view.setBigUint64(at + eventLayout.userdata, userdata, true);
    view.setUint8(at + eventLayout.type, type);
    if (condition.kind === "failed") view.setUint16(at + eventLayout.error, condition.error, true);
    if (condition.kind === "output") {
      view.setBigUint64(at + eventLayout.bytes, BigInt(bounds.outputChunkBytesMax), true);
    }
    if (condition.kind === "input") {
      const bytes = input.bufferedBytes();
      view.setBigUint64(at + eventLayout.bytes, BigInt(bytes), true);
      // Ready without bytes is the end.
      if (bytes === 0) view.setUint16(at + eventLayout.flags, eventHangup, true);
    }
  }
  return new Uint8Array(view.buffer);
}
