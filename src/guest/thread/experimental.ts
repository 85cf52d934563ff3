// The imports of wasi_experimental_http: lift arguments out of guest memory, ask the host, lower what came back.
// INVARIANT (nothing throws): whatever a guest passes in becomes an error code, and costs nothing but that call.
// INVARIANT (outputs first): every pointer is checked before anything is asked, so a bad one sends nothing.
import { bounds } from "../../core/bounds.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { type ErrorCode, errorCode } from "../experimental/error-code.ts";
import type { ExperimentalName, experimentalSignatures } from "../experimental/signatures.ts";
import { type GuestMemory, type MemoryFault, unsigned } from "./memory.ts";
import type { Answers, GuestCall, GuestNote } from "./message.ts";
import {
  allHeaderLines,
  firstHeader,
  type HeldResponse,
  heldResponse,
  noteRead,
  takeChunk,
} from "./response-handles.ts";

/** What these imports need from whoever runs the guest. */
export interface ExperimentalHost {
  readonly memory: GuestMemory;
  call<Call extends GuestCall>(call: Call, transfer?: ArrayBuffer): Answers[Call["kind"]];
  tell(note: GuestNote): void;
}

/** A piece of guest memory that was checked to exist. */
interface Piece {
  readonly pointer: number;
  readonly length: number;
}

type Failed = Exclude<ErrorCode, 0>;
type Lifted<Value> = Result<Value, Failed>;

const { success, invalidHandle, memoryNotFound, memoryAccessError, bufferTooSmall } = errorCode;
const { headerNotFound, utf8Error } = errorCode;

// Header text of this length has more bytes or more lines than any request may have, however it is cut.
const headerTextBytesMax = bounds.requestHeaderBytesMax + 2 * bounds.requestHeadersMax;

/** The imports of one instance; each instance needs its own, because they hold its handles. */
export function experimentalImports(
  host: ExperimentalHost,
): Readonly<Record<ExperimentalName, (...values: number[]) => ErrorCode>> {
  const { memory } = host;
  const responses = new Map<number, HeldResponse>();

  function req(
    url: Piece,
    method: Piece,
    headers: Piece,
    body: Piece,
    statusOut: number,
    handleOut: number,
  ): ErrorCode {
    const found = checkAll(memory, [
      url,
      method,
      headers,
      body,
      { pointer: statusOut, length: 2 },
      { pointer: handleOut, length: 4 },
    ]);
    if (found !== success) return found;
    const lifted = liftRequest(memory, url, method, headers, body);
    if (!lifted.ok) return lifted.error;
    const answer = host.call(lifted.value, lifted.value.body?.buffer);
    if (!("handle" in answer)) return answer.code;
    responses.set(answer.handle, heldResponse(answer.headers));
    memory.writeU16(statusOut, answer.status);
    memory.writeU32(handleOut, answer.handle);
    return success;
  }

  function close(handle: number): ErrorCode {
    if (!responses.delete(handle)) return invalidHandle;
    host.tell({ kind: "close", handle });
    return success;
  }

  function headerGet(handle: number, name: Piece, buffer: Piece, writtenOut: number): ErrorCode {
    const response = responses.get(handle);
    if (response === undefined) return invalidHandle;
    const found = checkAll(memory, [name, buffer, { pointer: writtenOut, length: 4 }]);
    if (found !== success) return found;
    // No header that was let through is longer; the text of one would only fill the heap.
    if (name.length > bounds.responseHeaderBytesMax) return headerNotFound;
    const text = memory.readUtf8(name.pointer, name.length);
    if (!text.ok) return codeOfFault(text.error);
    const value = firstHeader(response, text.value);
    return value === undefined ? headerNotFound : lower(buffer, writtenOut, value);
  }

  function headersGetAll(handle: number, buffer: Piece, writtenOut: number): ErrorCode {
    const response = responses.get(handle);
    if (response === undefined) return invalidHandle;
    const found = checkAll(memory, [buffer, { pointer: writtenOut, length: 4 }]);
    return found === success ? lower(buffer, writtenOut, allHeaderLines(response)) : found;
  }

  function bodyRead(handle: number, buffer: Piece, writtenOut: number): ErrorCode {
    const response = responses.get(handle);
    if (response === undefined) return invalidHandle;
    const found = checkAll(memory, [buffer, { pointer: writtenOut, length: 4 }]);
    if (found !== success) return found;
    if (buffer.length > 0 && response.chunk.length === 0 && response.ended === undefined) {
      const wanted = Math.max(buffer.length, bounds.readBytesMin);
      noteRead(
        response,
        host.call({ kind: "read", handle, bytesMax: Math.min(wanted, bounds.readBytesMax) }),
      );
    }
    const taken = takeChunk(response, buffer.length);
    if (
      taken.length === 0 &&
      buffer.length > 0 &&
      response.ended !== undefined &&
      response.ended !== success
    ) {
      return response.ended;
    }
    return lower(buffer, writtenOut, taken);
  }

  function lower(buffer: Piece, writtenOut: number, bytes: Uint8Array): ErrorCode {
    if (bytes.length > buffer.length) return bufferTooSmall;
    memory.writeBytes(buffer.pointer, bytes);
    memory.writeU32(writtenOut, bytes.length);
    return success;
  }

  return {
    req: unsignedValues(
      "req",
      ([
        url,
        urlLength,
        method,
        methodLength,
        headers,
        headersLength,
        body,
        bodyLength,
        statusOut,
        handleOut,
      ]) =>
        req(
          { pointer: url, length: urlLength },
          { pointer: method, length: methodLength },
          { pointer: headers, length: headersLength },
          { pointer: body, length: bodyLength },
          statusOut,
          handleOut,
        ),
    ),
    close: unsignedValues("close", ([handle]) => close(handle)),
    header_get: unsignedValues("header_get", ([handle, name, nameLength, buffer, length, writtenOut]) =>
      headerGet(handle, { pointer: name, length: nameLength }, { pointer: buffer, length }, writtenOut),
    ),
    headers_get_all: unsignedValues("headers_get_all", ([handle, buffer, length, writtenOut]) =>
      headersGetAll(handle, { pointer: buffer, length }, writtenOut),
    ),
    body_read: unsignedValues("body_read", ([handle, buffer, length, writtenOut]) =>
      bodyRead(handle, { pointer: buffer, length }, writtenOut),
    ),
  };
}

type Values<Signature extends string> = Signature extends `i${infer Rest}` ? [number, ...Values<Rest>] : [];

// WebAssembly's i32 arrives signed; as a pointer, a length or a handle it is unsigned.
function unsignedValues<Name extends ExperimentalName>(
  _name: Name,
  run: (values: Values<(typeof experimentalSignatures)[Name]>) => ErrorCode,
): (...values: number[]) => ErrorCode {
  return (...values) => run(values.map(unsigned) as Values<(typeof experimentalSignatures)[Name]>);
}

function checkAll(memory: GuestMemory, pieces: readonly Piece[]): ErrorCode {
  for (const { pointer, length } of pieces) {
    const found = memory.check(pointer, length);
    if (!found.ok) return codeOfFault(found.error);
  }
  return success;
}

function codeOfFault(fault: MemoryFault | "not_utf8"): Failed {
  if (fault === "no_memory") return memoryNotFound;
  return fault === "not_utf8" ? utf8Error : memoryAccessError;
}

function liftRequest(memory: GuestMemory, url: Piece, method: Piece, headers: Piece, body: Piece) {
  // The text crosses as it is: the gate parses it, once.
  const urlText = liftText(memory, url, bounds.urlBytesMax);
  if (!urlText.ok) return urlText;
  const methodText = liftText(memory, method, bounds.methodLengthMax);
  if (!methodText.ok) return methodText;
  const fields = liftHeaders(memory, headers);
  if (!fields.ok) return fields;
  const bytes = liftBody(memory, body);
  if (!bytes.ok) return bytes;
  return ok({
    kind: "request",
    url: urlText.value,
    method: methodText.value,
    headers: fields.value,
    body: bytes.value,
  } as const);
}

function liftText(memory: GuestMemory, { pointer, length }: Piece, bytesMax: number): Lifted<string> {
  if (length <= bytesMax) {
    const text = memory.readUtf8(pointer, length);
    return text.ok ? text : err(codeOfFault(text.error));
  }
  // Too long whatever it says, and a guest can make it as long as its memory: the gate gets enough of it to refuse
  // and to record, with a character at the end that neither URL nor method may hold.
  const start = memory.readBytes(pointer, bytesMax);
  return start.ok
    ? ok(`${Buffer.from(start.value.buffer).toString("latin1")} `)
    : err(codeOfFault(start.error));
}

function liftHeaders(memory: GuestMemory, { pointer, length }: Piece): Lifted<[string, string][]> {
  if (length > headerTextBytesMax) return ok([["x", "x".repeat(bounds.requestHeaderBytesMax)]]);
  const text = memory.readUtf8(pointer, length);
  if (!text.ok) return err(codeOfFault(text.error));
  const fields: [string, string][] = [];
  if (text.value === "") return ok(fields);
  const lines = text.value.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const colon = line.indexOf(":");
    // A line without a colon goes to the gate as a name that no line can hold: it is refused there, and so recorded.
    fields.push(colon === -1 ? [`${line}\n`, ""] : [line.slice(0, colon), line.slice(colon + 1)]);
    // The gate refuses this many, and need not be sent more to do so.
    if (fields.length > bounds.requestHeadersMax) break;
  }
  return ok(fields);
}

function liftBody(
  memory: GuestMemory,
  { pointer, length }: Piece,
): Lifted<Uint8Array<ArrayBuffer> | undefined> {
  if (length === 0) return ok(undefined);
  try {
    const bytes = memory.readBytes(pointer, length);
    return bytes.ok ? bytes : err(codeOfFault(bytes.error));
  } catch {
    // The machine has no room for a copy.
    return err(errorCode.runtimeError);
  }
}
