// The three streams of a guest and its own table of descriptors for them. They behave like pipes on Linux.
// INVARIANT (own descriptors): numbers here name the guest's streams only; no descriptor of the host is ever touched.
import { bounds } from "../../../core/bounds.ts";
import { errno } from "./errno.ts";
import type { WasiHost } from "./host.ts";
import { fdflags, fdstatLayout, filestatLayout, filetype, rights } from "./layout.ts";
import type { WasiFunctions } from "./signatures.ts";
import { gather, readVectors, scatter } from "./vectors.ts";

/** What a descriptor stands for. */
export interface Descriptor {
  /** 0 is standard input, 1 standard output, 2 standard error, whatever number the guest has for it by now. */
  readonly stream: 0 | 1 | 2;
  /** As the guest set them; only nonblock on input has a meaning. */
  flags: number;
}

/** Standard input with the bytes that came and were not taken yet, so that it can be polled. */
export interface Input {
  /** Bytes that can be taken without waiting. */
  bufferedBytes(): number;
  /** Waits until there are bytes, or the end, or `waitMs` are over (absent: no bound). */
  wait(waitMs?: number): "ready" | "end" | "pending";
  /** Takes up to `bytesMax` of the buffered bytes. */
  take(bytesMax: number): Uint8Array;
}

/** The streams of one guest. */
export interface Stdio {
  readonly descriptors: Map<number, Descriptor>;
  readonly input: Input;
}

/** Streams 0, 1 and 2, open. */
export function openStdio(host: WasiHost): Stdio {
  const descriptors = new Map<number, Descriptor>([
    [0, { stream: 0, flags: 0 }],
    [1, { stream: 1, flags: 0 }],
    [2, { stream: 2, flags: 0 }],
  ]);
  return { descriptors, input: openInput(host) };
}

function openInput(host: WasiHost): Input {
  let buffered: Uint8Array = new Uint8Array(0);
  let ended = false;
  return {
    bufferedBytes: () => buffered.length,
    wait(waitMs) {
      if (buffered.length > 0) return "ready";
      // The end is final: the host is not asked again.
      if (ended) return "end";
      const chunk = host.read(bounds.inputChunkBytesMax, waitMs);
      if (chunk === undefined) return "pending";
      buffered = chunk;
      ended = chunk.length === 0;
      return ended ? "end" : "ready";
    },
    take(bytesMax) {
      const taken = buffered.subarray(0, bytesMax);
      buffered = buffered.subarray(taken.length);
      return taken;
    },
  };
}

type StdioFunctions = WasiFunctions<
  | "fd_close"
  | "fd_fdstat_get"
  | "fd_fdstat_set_flags"
  | "fd_filestat_get"
  | "fd_read"
  | "fd_renumber"
  | "fd_write"
>;

/** The fd_* functions that mean something for a stream. */
export function stdioFunctions(host: WasiHost, { descriptors, input }: Stdio): StdioFunctions {
  const { memory } = host;

  function fdRead(fd: number, vectorsPointer: number, count: number, resultPointer: number): number {
    const descriptor = descriptors.get(fd);
    if (descriptor?.stream !== 0) return errno.badf;
    const vectors = readVectors(memory, vectorsPointer, count);
    if (!vectors.ok) return vectors.error;
    // Before the wait, so that no input is taken that could not be accounted for.
    if (!memory.check(resultPointer, 4).ok) return errno.fault;
    let taken = 0;
    if (vectors.value.bytes > 0) {
      const nonblock = (descriptor.flags & fdflags.nonblock) !== 0;
      if (input.wait(nonblock ? 0 : undefined) === "pending") return errno.again;
      const bytes = input.take(vectors.value.bytes);
      scatter(memory, vectors.value, bytes);
      taken = bytes.length;
    }
    memory.writeU32(resultPointer, taken);
    return errno.success;
  }

  // Writes everything, as a pipe does: a short count is right by the letter, but languages whose print ignores it
  // would lose output. It still happens when the host takes less than it was offered.
  function fdWrite(fd: number, vectorsPointer: number, count: number, resultPointer: number): number {
    const stream = descriptors.get(fd)?.stream;
    if (stream === undefined || stream === 0) return errno.badf;
    const vectors = readVectors(memory, vectorsPointer, count);
    if (!vectors.ok) return vectors.error;
    if (!memory.check(resultPointer, 4).ok) return errno.fault;
    let written = 0;
    for (const chunk of gather(memory, vectors.value, bounds.outputChunkBytesMax)) {
      const offered = chunk.length;
      const taken = Math.min(host.write(stream, chunk), offered);
      if (taken > 0) written += taken;
      if (taken !== offered) break;
    }
    // Nothing taken of something would make libc try again for ever.
    if (written === 0 && vectors.value.bytes > 0) return errno.pipe;
    memory.writeU32(resultPointer, written);
    return errno.success;
  }

  return {
    fd_read: fdRead,
    fd_write: fdWrite,

    fd_close: (fd) => (descriptors.delete(fd) ? errno.success : errno.badf),

    fd_renumber(from, to) {
      const descriptor = descriptors.get(from);
      if (descriptor === undefined || !descriptors.has(to)) return errno.badf;
      descriptors.delete(from);
      descriptors.set(to, descriptor);
      return errno.success;
    },

    fd_fdstat_get(fd, resultPointer) {
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return errno.badf;
      const view = new DataView(new ArrayBuffer(fdstatLayout.size));
      view.setUint8(fdstatLayout.filetype, filetypeOf(descriptor));
      view.setUint16(fdstatLayout.flags, descriptor.flags, true);
      view.setBigUint64(fdstatLayout.rights, rightsOf(descriptor), true);
      return memory.writeBytes(resultPointer, new Uint8Array(view.buffer)).ok ? errno.success : errno.fault;
    },

    fd_fdstat_set_flags(fd, flags) {
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return errno.badf;
      if ((flags & ~fdflags.all) !== 0) return errno.inval;
      descriptor.flags = flags;
      return errno.success;
    },

    fd_filestat_get(fd, resultPointer) {
      const descriptor = descriptors.get(fd);
      if (descriptor === undefined) return errno.badf;
      const bytes = new Uint8Array(filestatLayout.size);
      bytes[filestatLayout.filetype] = filetypeOf(descriptor);
      return memory.writeBytes(resultPointer, bytes).ok ? errno.success : errno.fault;
    },
  };
}

// Output looks like a terminal, so that libc writes it line by line and a guest that is ended at its deadline has
// shown what it did. Input does not: interpreters would greet it with a prompt.
function filetypeOf({ stream }: Descriptor): number {
  return stream === 0 ? filetype.unknown : filetype.characterDevice;
}

function rightsOf({ stream }: Descriptor): bigint {
  const both = rights.fdFdstatSetFlags | rights.fdFilestatGet | rights.pollFdReadwrite;
  return both | (stream === 0 ? rights.fdRead : rights.fdWrite);
}
