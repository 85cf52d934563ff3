// A guest's standard streams on the host's side: input pulled on demand, output handed on with back-pressure.
// Never reads ahead of the guest, and never lets an embedder's failing stream end anything but that stream.
import type { Clock } from "../core/clock.ts";

/** Takes a chunk of a guest's output; the guest waits until what it returns has resolved. */
export type OutputSink = (chunk: Uint8Array) => void | Promise<void>;

/** Standard input of one guest. */
export interface GuestInput {
  /**
   * At most `bytesMax` bytes, as soon as there are some; none at the end. With `waitMs`, undefined when nothing came
   * within it; what comes later is kept for the next call.
   */
  read(bytesMax: number, waitMs: number | undefined): Promise<Uint8Array | undefined>;
  /** Gives the stream back: what the guest did not ask for stays unread, what it waits for is given up. */
  close(): void;
}

const nothing = new Uint8Array(0);

/** Opens a guest's standard input; without a stream it is at its end. */
export function openGuestInput(stream: ReadableStream<Uint8Array> | undefined, clock: Clock): GuestInput {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let left: Uint8Array = nothing;
  let ended = stream === undefined;
  let pending: Promise<void> | undefined;
  let onArrival: (() => void) | undefined;

  // A stream that fails is at its end: WASI has no better word for a pipe whose writer died.
  async function pull(): Promise<void> {
    try {
      reader ??= stream?.getReader();
      const next = await reader?.read();
      if (next === undefined || next.done) ended = true;
      else if (next.value instanceof Uint8Array) left = next.value;
      else ended = true;
    } catch {
      ended = true;
    }
  }

  // One place for the one guest that asks: reactions to a promise that stays pending would pile up with every poll.
  function arrives(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (arrived: boolean): void => {
        cancel();
        onArrival = undefined;
        resolve(arrived);
      };
      const cancel = clock.schedule(waitMs, () => settle(false));
      onArrival = () => settle(true);
    });
  }

  async function read(bytesMax: number, waitMs: number | undefined): Promise<Uint8Array | undefined> {
    while (left.length === 0 && !ended) {
      pending ??= pull().finally(() => {
        pending = undefined;
        onArrival?.();
      });
      if (waitMs === undefined) await pending;
      else if (!(await arrives(waitMs))) return undefined;
    }
    // A copy: the embedder's chunk may be part of something larger, or be used again.
    const taken = left.slice(0, bytesMax);
    left = left.subarray(taken.length);
    return taken;
  }

  return {
    read,
    close() {
      ended = true;
      reader?.cancel().catch(() => {});
    },
  };
}

/** Hands a chunk on. 0 when the embedder's side failed: the guest is told that nobody listens. */
export async function writeOutput(sink: OutputSink, chunk: Uint8Array): Promise<number> {
  try {
    await sink(chunk);
    return chunk.length;
  } catch {
    return 0;
  }
}
