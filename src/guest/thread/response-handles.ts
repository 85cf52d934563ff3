// The responses that one instance holds open, by handle, with what has come of them.
// INVARIANT (handles are checked): a handle is looked up on every call, belongs to one instance, and is never given
// twice. An unknown one brought the host down in the ABI's first implementation.
import { type ErrorCode, errorCode } from "../experimental/error-code.ts";

/** One open response, in the guest's thread. */
export interface HeldResponse {
  /** A line end, then `name:value\n` lines with names in lower case. Outside the thread's bounded heap. */
  readonly headerLines: Buffer;
  /** Body bytes that have crossed and were not taken yet. */
  chunk: Uint8Array;
  /** How the body ended, once it has: well, or with an error that every further read gives again. */
  ended: ErrorCode | undefined;
}

/** A response of which nothing of the body has come. */
export function heldResponse(headers: string): HeldResponse {
  // Kept as bytes: as text, the headers of a thousand responses would fill the heap. One octet a character.
  const headerLines = Buffer.from(`\n${headers}`, "latin1");
  return { headerLines, chunk: new Uint8Array(0), ended: undefined };
}

/** All header lines, without the line end in front. */
export function allHeaderLines({ headerLines }: HeldResponse): Uint8Array {
  return headerLines.subarray(1);
}

/** The value of the first header with this name, in whatever case; undefined when there is none. */
export function firstHeader({ headerLines }: HeldResponse, name: string): Uint8Array | undefined {
  // With one of these in it, the name would also match in the middle of a line.
  if (/[:\n]/.test(name)) return undefined;
  const start = `\n${asciiLowerCase(name)}:`;
  const at = headerLines.indexOf(start, 0, "utf8");
  if (at === -1) return undefined;
  const from = at + Buffer.byteLength(start);
  return headerLines.subarray(from, headerLines.indexOf("\n", from, "latin1"));
}

// Not toLowerCase: it also changes letters that no header name has, and one of them into "i".
function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Takes up to `bytesMax` of the bytes that have crossed. */
export function takeChunk(response: HeldResponse, bytesMax: number): Uint8Array {
  const taken = response.chunk.subarray(0, bytesMax);
  response.chunk = response.chunk.subarray(taken.length);
  return taken;
}

/** Puts down what a read brought. */
export function noteRead(
  response: HeldResponse,
  answer: { readonly code: ErrorCode; readonly bytes?: Uint8Array },
): void {
  const { code, bytes } = answer;
  if (code === errorCode.success && bytes !== undefined && bytes.length > 0) response.chunk = bytes;
  else response.ended = code;
}
