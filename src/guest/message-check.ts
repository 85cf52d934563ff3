// Looks at what a guest's thread sent before the host acts on it. The thread runs untrusted code beside ours: were
// it taken over, its messages are all that it can reach the host with.
// INVARIANT (messages are checked): nothing of a message is used that was not looked at here.
import { bounds } from "../core/bounds.ts";
import type { GuestMessage, ThreadEnd } from "./thread/message.ts";

// The gate refuses less; this only keeps a message from being a burden before the gate has seen it.
const textLengthMax = bounds.urlBytesMax + 1;
const headerTextLengthMax = bounds.requestHeaderBytesMax + 2 * bounds.requestHeadersMax;

/** The message, or undefined when our own code in the thread cannot have sent it. */
export function checkMessage(message: unknown): GuestMessage | undefined {
  if (!isRecord(message) || !isWhole(message.run, Number.MAX_SAFE_INTEGER)) return undefined;
  return hasShape(message) ? (message as unknown as GuestMessage) : undefined;
}

function hasShape(message: Readonly<Record<string, unknown>>): boolean {
  switch (message.kind) {
    case "request":
      return (
        isText(message.url, textLengthMax) &&
        isText(message.method, textLengthMax) &&
        isHeaders(message.headers) &&
        (message.body === undefined || isBytes(message.body))
      );
    case "read":
      return isWhole(message.handle) && isWhole(message.bytesMax, bounds.readBytesMax);
    case "close":
      return isWhole(message.handle);
    case "write":
      return (
        (message.stream === 1 || message.stream === 2) &&
        isBytes(message.bytes) &&
        message.bytes.length <= bounds.outputChunkBytesMax
      );
    case "input":
      return (
        isWhole(message.bytesMax, bounds.inputChunkBytesMax) &&
        (message.waitMs === undefined || (typeof message.waitMs === "number" && message.waitMs >= 0))
      );
    case "end":
      return isWhole(message.memoryBytes, Number.MAX_SAFE_INTEGER) && isEnd(message.end);
    default:
      return false;
  }
}

function isHeaders(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > bounds.requestHeadersMax + 1) return false;
  let length = 0;
  for (const field of value) {
    if (!Array.isArray(field) || field.length !== 2) return false;
    const [name, text]: readonly unknown[] = field;
    if (typeof name !== "string" || typeof text !== "string") return false;
    length += name.length + text.length;
  }
  return length <= headerTextLengthMax;
}

function isEnd(value: unknown): value is ThreadEnd {
  if (!isRecord(value)) return false;
  if (value.kind === "returned") return Array.isArray(value.values);
  if (value.kind === "exited") return isWhole(value.code);
  return value.kind === "trapped" && typeof value.message === "string";
}

// Shared memory could be changed, and resizable memory could shrink, after it was looked at.
function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && !value.buffer.resizable;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown, lengthMax: number): boolean {
  return typeof value === "string" && value.length <= lengthMax;
}

function isWhole(value: unknown, max = 0xffff_ffff): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}
