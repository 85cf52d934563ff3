// What passes between the host and a guest's thread. Types only.
// INVARIANT (guest sees codes only): what the host answers holds no reason, address or rule, not even in the thread.
import type { ErrorCode } from "../experimental/error-code.ts";

/** What a new thread is given. */
export interface ThreadData {
  readonly port: import("node:worker_threads").MessagePort;
  /** One counter: the host adds to it and notifies after every answer. */
  readonly cell: Int32Array<SharedArrayBuffer>;
}

/** One guest to run. */
export interface RunMessage {
  /** Counts up from 1 in each thread; every message of this guest carries it. */
  readonly run: number;
  readonly module: WebAssembly.Module;
  /** To be made for the instance, when the module imports its memory. */
  readonly memory:
    | {
        readonly module: string;
        readonly name: string;
        readonly pagesMin: number;
        readonly pagesMax: number;
      }
    | undefined;
  /** argv, the program's name first. */
  readonly args: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  /** Exports without parameters to call first, in this order. */
  readonly before: readonly string[];
  readonly main: { readonly name: string; readonly values: readonly (number | bigint)[] } | undefined;
}

/** What the guest's thread asks and waits for. */
export type GuestCall =
  | {
      readonly kind: "request";
      readonly method: string;
      readonly url: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: Uint8Array | undefined;
    }
  | { readonly kind: "read"; readonly handle: number; readonly bytesMax: number }
  | { readonly kind: "write"; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  | { readonly kind: "input"; readonly bytesMax: number; readonly waitMs: number | undefined };

/** What the guest's thread only tells. */
export type GuestNote =
  | { readonly kind: "close"; readonly handle: number }
  | { readonly kind: "end"; readonly end: ThreadEnd; readonly memoryBytes: number };

/** How a guest ended, as its thread saw it. */
export type ThreadEnd =
  | { readonly kind: "returned"; readonly values: readonly unknown[] }
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "trapped"; readonly message: string };

/** What goes to the host. */
export type GuestMessage = (GuestCall | GuestNote) & { readonly run: number };

/** What each kind of call is answered with. */
export interface Answers {
  readonly request:
    | { readonly code: ErrorCode }
    | {
        readonly code: 0;
        readonly handle: number;
        readonly status: number;
        /** `name:value\n` lines, one character an octet, as they came from the wire. */
        readonly headers: string;
      };
  /** No bytes: the end. */
  readonly read: { readonly code: ErrorCode; readonly bytes?: Uint8Array };
  /** How many bytes were taken. */
  readonly write: number;
  /** No bytes: the end; undefined: nothing came in time. */
  readonly input: Uint8Array | undefined;
}

/** What the host sends while a guest runs: the answer to the one call that waits. */
export interface AnswerMessage<Kind extends keyof Answers = keyof Answers> {
  readonly answer: Answers[Kind];
}
