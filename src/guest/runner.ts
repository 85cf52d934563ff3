// One guest on one thread, from its start to its end: its calls are answered, its time is kept, and whatever way it
// ends, nothing of it stays open. Never believes the thread: a message out of turn ends the guest.
import type { Clock } from "../core/clock.ts";
import { type Reason, reasonTable } from "../core/reason.ts";
import type { Denial, Gate } from "../egress/message.ts";
import { openBridgeServer } from "./bridge-server.ts";
import type { OutputSink } from "./guest-streams.ts";
import type { GuestThread } from "./guest-thread.ts";
import { type Invocation, resultTexts, trapText } from "./invocation.ts";
import { checkMessage } from "./message-check.ts";
import type { ModuleProblem, PreparedModule } from "./prepare-module.ts";
import type { GuestCall, GuestMessage, ThreadEnd } from "./thread/message.ts";

/** A guest to run. */
export interface GuestOrder {
  readonly module: PreparedModule;
  /** The only way out for its requests. */
  readonly gate: Gate;
  /** The export to call; `_start` runs a command, or initialises a reactor that has none. */
  readonly invoke: string;
  /** Arguments after argv[0], and what `invoke` is called with when it is not `_start`. */
  readonly args: readonly string[];
  /** argv[0]. */
  readonly name: string;
  readonly env: readonly (readonly [name: string, value: string])[];
  /** Absent: at its end from the start. It is cancelled when the guest ends. */
  readonly stdin: ReadableStream<Uint8Array> | undefined;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  readonly signal: AbortSignal;
  /** From the order to the end, the wait for a thread included. */
  readonly timeoutMs: number;
}

/** How a guest ended. */
export type GuestEnd =
  /** `code` is the guest's own, 0 when it returned; `results` are those of `invoke`, as text. */
  | { readonly kind: "exited"; readonly code: number; readonly results: readonly string[] }
  | { readonly kind: "trapped"; readonly message: string }
  | { readonly kind: "deadline" }
  | { readonly kind: "aborted" }
  /** It was not started. */
  | { readonly kind: "rejected"; readonly problem: ModuleProblem };

/** A guest that has a thread. */
export interface RunningGuest {
  /** Never rejects. */
  readonly ended: Promise<GuestEnd>;
  /** Whether the thread is as good as new: the guest ended well, and had at most so much memory. */
  readonly clean: { readonly memoryBytes: number } | undefined;
  /** Ends the guest at once, for `reason`; without effect when it has ended. */
  stop(end: GuestEnd, reason: Reason): void;
}

/** Starts a guest on an idle thread. */
export function startGuest(
  thread: GuestThread,
  order: GuestOrder,
  plan: Invocation,
  clock: Clock,
): RunningGuest {
  const { promise: ended, resolve } = Promise.withResolvers<GuestEnd>();
  const controller = new AbortController();
  const { gate, stdin, stdout, stderr } = order;
  const bridge = openBridgeServer({ gate, stdin, stdout, stderr, clock, signal: controller.signal });
  let over = false;
  let waiting = false;
  let clean: { readonly memoryBytes: number } | undefined;

  function finish(end: GuestEnd, reason: Reason): void {
    if (over) return;
    over = true;
    // Requests under way first, so that they are recorded with the reason and not as closed by the guest.
    controller.abort(denialOf(reason));
    bridge.close();
    resolve(end);
  }

  function receive(received: unknown): void {
    if (over) return;
    const message = checkMessage(received);
    // While it waits for an answer, a guest's thread can say nothing.
    if (message === undefined || message.run !== thread.runs || waiting) misbehaved();
    else if (message.kind === "end") finishAs(message);
    else if (message.kind !== "close") void answer(message);
    else if (!bridge.closeResponse(message.handle)) misbehaved();
  }

  async function answer(call: GuestCall): Promise<void> {
    waiting = true;
    try {
      const found = await bridge.answer(call);
      if (over) return;
      waiting = false;
      thread.answer(found);
    } catch (fault) {
      finish({ kind: "trapped", message: `the host failed: ${String(fault)}` }, "internal_error");
    }
  }

  function finishAs({ end, memoryBytes }: GuestMessage & { readonly kind: "end" }): void {
    const found = guestEndOf(end, plan);
    if (found?.kind === "exited") clean = { memoryBytes };
    if (found === undefined) misbehaved();
    else finish(found, "guest_terminated");
  }

  function misbehaved(): void {
    finish({ kind: "trapped", message: "the guest's thread broke the protocol" }, "guest_terminated");
  }

  thread.onFailure((reason) => {
    const message = trapText(reason ?? "the guest's thread ended");
    finish({ kind: "trapped", message }, "guest_terminated");
  });
  const { module, importedMemory } = order.module;
  const { before, main } = plan;
  const args = [order.name, ...order.args];
  thread.start({ module, memory: importedMemory, args, env: order.env, before, main }, receive);

  return {
    ended,
    get clean() {
      return clean;
    },
    stop: finish,
  };
}

// Undefined when this is no end of what was started.
function guestEndOf(end: ThreadEnd, { results }: Invocation): GuestEnd | undefined {
  if (end.kind === "trapped") return { kind: "trapped", message: trapText(end.message) };
  if (end.kind === "exited") return { kind: "exited", code: end.code, results: [] };
  const texts = resultTexts(results, end.values);
  return texts === undefined ? undefined : { kind: "exited", code: 0, results: texts };
}

function denialOf(reason: Reason): Denial {
  const { stage, kind } = reasonTable[reason];
  return { reason, stage, kind };
}
