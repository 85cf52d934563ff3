// One thread for guests: a worker with nothing of the host's in it, and bounds on its heap and stack.
// Never inherits the environment, the command line or the standard streams of the process.
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMarkedAsUntransferable, MessageChannel, Worker } from "node:worker_threads";
import { bounds } from "../core/bounds.ts";
import type { AnswerMessage, Answers, RunMessage, ThreadData } from "./thread/message.ts";

/** A thread that runs one guest at a time. */
export interface GuestThread {
  /** Guests that it was given so far; the number of the one that it runs. */
  readonly runs: number;
  /** Starts a guest; `receive` gets every message until the next start, looked at by nobody yet. */
  start(message: Omit<RunMessage, "run">, receive: (message: unknown) => void): void;
  /** Answers the call that the guest waits for. */
  answer(answer: Answers[keyof Answers]): void;
  /** Told once, when the thread ended without being asked to; undefined: no reason is known. */
  onFailure(failed: (reason: string | undefined) => void): void;
  /** Whether the thread keeps the process alive. */
  hold(held: boolean): void;
  /** Ends the thread at any instant, whatever it does; resolves when it is gone. */
  terminate(): Promise<void>;
  readonly exited: Promise<void>;
}

// The sources run as they are under Node, which strips types, and as JavaScript after the build.
const thisFile = fileURLToPath(import.meta.url);
const entryFile = join(dirname(thisFile), "thread", `entry${extname(thisFile)}`);

/** Starts a thread; guests may be started at once, before it is up. */
export function openGuestThread(): GuestThread {
  const { port1: port, port2: theirPort } = new MessageChannel();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const data: ThreadData = { port: theirPort, cell };
  const worker = new Worker(entryFile, {
    workerData: data,
    transferList: [theirPort],
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
    // Taken away from the process and read by nobody: reading them would keep the process alive.
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    name: "guest",
    resourceLimits: {
      maxOldGenerationSizeMb: bounds.threadHeapMebibytesMax,
      maxYoungGenerationSizeMb: bounds.threadYoungHeapMebibytesMax,
      stackSizeMb: bounds.threadStackMebibytes,
    },
  });

  let runs = 0;
  let asked = false;
  let receive: (message: unknown) => void = () => {};
  let failed: (reason: string | undefined) => void = () => {};
  let failure: string | undefined;
  port.on("message", (message) => receive(message));
  // What cannot be read is told as what it is: nothing that our own code sends.
  port.on("messageerror", () => receive(undefined));
  worker.on("error", (fault: Error) => {
    failure = faultText(fault);
  });
  const exited = new Promise<void>((resolve) => {
    worker.on("exit", () => {
      port.close();
      resolve();
      if (!asked) failed(failure);
    });
  });

  return {
    get runs() {
      return runs;
    },
    start(message, receiver) {
      runs += 1;
      receive = receiver;
      port.postMessage({ run: runs, ...message } satisfies RunMessage);
    },
    answer(answer) {
      const { message, transfer } = answerMessage(answer);
      port.postMessage(message, transfer);
      Atomics.add(cell, 0, 1);
      Atomics.notify(cell, 0);
    },
    onFailure(callback) {
      failed = callback;
    },
    hold(held) {
      if (held) {
        worker.ref();
        port.ref();
      } else {
        worker.unref();
        port.unref();
      }
    },
    async terminate() {
      asked = true;
      receive = () => {};
      await worker.terminate();
    },
    exited,
  };
}

function answerMessage(answer: Answers[keyof Answers]): { message: AnswerMessage; transfer: ArrayBuffer[] } {
  if (answer instanceof Uint8Array) {
    const bytes = ownBytes(answer);
    return { message: { answer: bytes }, transfer: transferOf(bytes) };
  }
  if (typeof answer === "object" && "bytes" in answer && answer.bytes !== undefined) {
    const bytes = ownBytes(answer.bytes);
    return { message: { answer: { ...answer, bytes } }, transfer: transferOf(bytes) };
  }
  return { message: { answer }, transfer: [] };
}

// A view takes all of its buffer along when it is cloned or transferred: a copy of the part alone is cheaper, and
// shows the thread nothing else.
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  const whole = byteLength === buffer.byteLength && !isMarkedAsUntransferable(buffer);
  return whole && buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

function transferOf({ buffer, byteLength }: Uint8Array<ArrayBuffer>): ArrayBuffer[] {
  return byteLength < bounds.transferBytesMin ? [] : [buffer];
}

function faultText(fault: Error): string {
  const outOfMemory = "code" in fault && fault.code === "ERR_WORKER_OUT_OF_MEMORY";
  return outOfMemory ? "the guest's thread ran out of memory" : fault.message;
}
