// HTTP for AssemblyScript guests: the five imports of wasi_experimental_http, and a small client on top of them.
// It takes every result the way the ABI writes it: the status is 16 bits wide, handles and lengths are 32.

// @ts-ignore: decorator
@external("wasi_experimental_http", "req")
declare function req(
  url: usize, urlLength: usize, method: usize, methodLength: usize, headers: usize, headersLength: usize,
  body: usize, bodyLength: usize, statusOut: usize, handleOut: usize
): u32;

// @ts-ignore: decorator
@external("wasi_experimental_http", "close")
declare function close(handle: u32): u32;

// @ts-ignore: decorator
@external("wasi_experimental_http", "header_get")
declare function header_get(
  handle: u32, name: usize, nameLength: usize, buffer: usize, bufferLength: usize, writtenOut: usize
): u32;

// @ts-ignore: decorator
@external("wasi_experimental_http", "body_read")
declare function body_read(handle: u32, buffer: usize, bufferLength: usize, writtenOut: usize): u32;

/** A response, or the code that came instead of one. */
export class Response {
  private open: bool;

  constructor(readonly error: u32, readonly status: i32, private handle: u32) {
    this.open = error == 0;
  }

  /** One header's value, or an empty text. */
  header(name: string): string {
    const nameBytes = String.UTF8.encode(name);
    let capacity = 1024;
    while (capacity <= 64 * 1024) {
      const buffer = new ArrayBuffer(capacity);
      const written = new StaticArray<u32>(1);
      const code = header_get(
        this.handle, changetype<usize>(nameBytes), nameBytes.byteLength,
        changetype<usize>(buffer), buffer.byteLength, changetype<usize>(written)
      );
      if (code == 0) return String.UTF8.decode(buffer.slice(0, written[0]));
      if (code != 4) break; // 4: the buffer is too small; anything else does not get better
      capacity *= 2;
    }
    return "";
  }

  /** Reads what has come so far into `buffer`: the number of bytes, 0 at the end, -1 on an error. */
  read(buffer: Uint8Array): i32 {
    if (!this.open) return -1;
    const written = new StaticArray<u32>(1);
    const code = body_read(this.handle, buffer.dataStart, buffer.byteLength, changetype<usize>(written));
    return code == 0 ? <i32>written[0] : -1;
  }

  /** The body to its end, as text. */
  text(): string {
    const buffer = new Uint8Array(4096);
    let text = new Uint8Array(0);
    for (let count = this.read(buffer); count > 0; count = this.read(buffer)) {
      const longer = new Uint8Array(text.length + count);
      longer.set(text);
      longer.set(buffer.subarray(0, count), text.length);
      text = longer;
    }
    return String.UTF8.decode(text.buffer);
  }

  /** Gives the response back. Until then it counts as one request in progress. */
  close(): void {
    if (this.open) close(this.handle);
    this.open = false;
  }
}

/** Sends a request; `headers` are `name:value` lines. Returns when the response's headers are there. */
export function request(method: string, url: string, headers: string = "", body: string = ""): Response {
  const urlBytes = String.UTF8.encode(url);
  const methodBytes = String.UTF8.encode(method);
  const headerBytes = String.UTF8.encode(headers);
  const bodyBytes = String.UTF8.encode(body);
  const status = new StaticArray<u16>(1);
  const handle = new StaticArray<u32>(1);
  const error = req(
    changetype<usize>(urlBytes), urlBytes.byteLength, changetype<usize>(methodBytes), methodBytes.byteLength,
    changetype<usize>(headerBytes), headerBytes.byteLength, changetype<usize>(bodyBytes), bodyBytes.byteLength,
    changetype<usize>(status), changetype<usize>(handle)
  );
  return new Response(error, status[0], handle[0]);
}

/** An error code in words. A guest learns no more than this: why it was denied is written down for the operator. */
export function words(error: u32): string {
  switch (error) {
    case 7: return "denied (7)";
    case 8: return "bad method (8)";
    case 9: return "bad header (9)";
    case 10: return "bad url (10)";
    case 11: return "failed (11)";
    case 12: return "host trouble (12)";
    case 13: return "too many (13)";
    default: return "error (" + error.toString() + ")";
  }
}
