// Every hostile guest with what must become of it. Run against a gate without network, and against the whole sandbox.
// A program checks what it can itself and ends with 0, or with the number of the check that failed.
import { readFile } from "node:fs/promises";
import wabt from "wabt";
import type { HeaderField } from "../../src/egress/message.ts";

/** The host that hostile programs ask; everything else, `denied.example` for one, is to be denied. */
export const allowedName = "allowed.example";

/** What `http://allowed.example:PORT` answers under a path. */
export interface HostileRoute {
  /** 0: no response ever comes. */
  readonly status: number;
  readonly headers: readonly HeaderField[];
  readonly body: string;
  /** What comes after the body: its end, nothing for ever, or a connection that breaks. */
  readonly end: "end" | "stall" | "reset";
}

/** The routes that the programs need. */
export const hostileRoutes: Readonly<Record<string, HostileRoute>> = {
  "/hello": {
    status: 200,
    headers: [
      ["content-type", "text/plain"],
      ["x-twice", "one"],
      ["x-twice", "two"],
      ["x-colons", "a:b:c"],
    ],
    body: "hello",
    end: "end",
  },
  "/large": { status: 200, headers: [], body: "x".repeat(1_048_576), end: "end" },
  "/stall": { status: 200, headers: [], body: "", end: "stall" },
  "/hang": { status: 0, headers: [], body: "", end: "stall" },
};

/** What must become of a hostile guest. */
export type HostileExpectation =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "trapped"; readonly message: RegExp }
  | { readonly kind: "deadline" }
  /** It is not run at all. */
  | { readonly kind: "rejected"; readonly message: RegExp };

/** One program. */
export interface HostileProgram {
  /** Below test/guest/programs/hostile. */
  readonly file: string;
  readonly invoke: string;
  readonly expectation: HostileExpectation;
  /** How many requests may pass the gate: exactly so many. Absent: any number. */
  readonly passed?: number;
}

/** The memory that every program gets: some count on it. */
export const hostileMemoryBytesMax = 16 * 1_048_576;
/** The open responses that every program gets: at most so many, and one at least. */
export const hostileConcurrent = 8;
/** Time for a program whose end is its deadline. All others end long before `hostileTimeoutMs`. */
export const hostileDeadlineMs = 300;
export const hostileTimeoutMs = 20_000;

function program(name: string, expectation: HostileExpectation, passed?: number): HostileProgram {
  return { file: `${name}.wat`, invoke: "_start", expectation, ...(passed === undefined ? {} : { passed }) };
}

const well: HostileExpectation = { kind: "exited", code: 0 };
const deadline: HostileExpectation = { kind: "deadline" };

function trapped(message: RegExp): HostileExpectation {
  return { kind: "trapped", message };
}

/** All programs; a test checks that each file in the folder is one of them. */
export const hostilePrograms: readonly HostileProgram[] = [
  program("busy-loop", deadline, 0),
  program("catch-everything", { kind: "exited", code: 7 }, 0),
  program("data-out-of-range", trapped(/data segment/), 0),
  program("deep-recursion", trapped(/^stack overflow: /), 0),
  program("deep-recursion-with-calls", trapped(/^stack overflow: /)),
  program("denied-loop", deadline, 0),
  program("exception-flood", trapped(/out of memory/), 0),
  program("exit-in-body", { kind: "exited", code: 7 }, 1),
  program("foreign-handle", well, 0),
  program("grow-memory", well, 1),
  program("grow-table", well, 0),
  program("handles", well, 2),
  program("hang", deadline, 1),
  program("header-text", well, 6),
  program("hold-open", well, 1),
  program("huge-memory", { kind: "rejected", message: /needs 4294967296 bytes of memory/ }, 0),
  program("huge-text", well),
  program("imported-memory", well, 1),
  program("large-body", well, 1),
  program("large-exit-code", { kind: "exited", code: 4_294_967_295 }, 0),
  program("line-ends", well, 1),
  program("memory-is-a-function", well, 0),
  program("memory-out-of-bounds", trapped(/^memory access out of bounds$/), 1),
  program("no-memory", well, 0),
  program("not-utf8", well, 1),
  program("open-for-ever", deadline),
  program("open-until-refused", well),
  program("output-flood", deadline, 0),
  program("pointers", well, 1),
  program("sleep-for-ever", deadline, 0),
  program("small-buffers", well, 2),
  program("stalled-body", deadline, 1),
  program("start-name-taken", well, 1),
  program("start-only", well, 1),
  program("start-section", well, 1),
  program("start-traps", trapped(/^unreachable$/), 1),
  program("trap-in-body", trapped(/^unreachable$/), 1),
];

const folder = `${import.meta.dirname}/../guest/programs/hostile`;

/** A hostile program as a module. It asks `allowed.example` at `port`, which must have five digits. */
export async function compileHostile(file: string, port = 54_321): Promise<Uint8Array<ArrayBuffer>> {
  const text = await readFile(`${folder}/${file}`, "utf8");
  const { parseWat } = await wabt();
  const module = parseWat(file, text.replaceAll("99999", String(port).padStart(5, "0")), {
    exceptions: true,
    bulk_memory: true,
    reference_types: true,
    multi_value: true,
  });
  try {
    module.validate();
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
