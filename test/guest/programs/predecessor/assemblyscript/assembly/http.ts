// A small HTTP client on the predecessor's imports, for the compiler of its days (assemblyscript 0.18).
// The predecessor's own AssemblyScript library is not on the npm registry any more; this one is written anew and uses the
// imports in that library's ways, which a host must bear: result slots that are read wider than the host writes them
// (a u16 status as a usize), 4 KiB buffers, pointers of empty texts, a body that is read until 0 comes, an abort on any error.

import { Console } from "as-wasi";

@external("wasi_experimental_http", "req")
declare function raw_req(
  url: usize, url_len: usize, method: usize, method_len: usize, headers: usize, headers_len: usize,
  body: usize, body_len: usize, status: usize, handle: usize
): u32;

@external("wasi_experimental_http", "close")
declare function raw_close(handle: u32): u32;

@external("wasi_experimental_http", "header_get")
declare function raw_header_get(handle: u32, name: usize, name_len: usize, buffer: usize, buffer_len: usize, written: usize): u32;

@external("wasi_experimental_http", "headers_get_all")
declare function raw_headers_get_all(handle: u32, buffer: usize, buffer_len: usize, written: usize): u32;

@external("wasi_experimental_http", "body_read")
declare function raw_body_read(handle: u32, buffer: usize, buffer_len: usize, written: usize): u32;

const CHUNK_BYTES: i32 = 4096;

const ERRORS: string[] = [
  "success", "invalid handle", "memory not found", "memory access error", "buffer too small", "header not found",
  "utf-8 error", "destination not allowed", "invalid method", "invalid encoding", "invalid url", "request error",
  "runtime error", "too many sessions"
];

function stop(call: string, code: u32): void {
  const words = code < <u32>ERRORS.length ? ERRORS[code] : "unknown error";
  Console.log(call + ": " + words + " (" + code.toString() + ")");
  abort(words);
}

export class Response {
  constructor(readonly status: i32, readonly handle: u32) {}

  header(name: string): string {
    const name_bytes = String.UTF8.encode(name);
    const buffer = new ArrayBuffer(CHUNK_BYTES);
    const written = memory.data(8);
    const code = raw_header_get(
      this.handle, changetype<usize>(name_bytes), name_bytes.byteLength,
      changetype<usize>(buffer), buffer.byteLength, written
    );
    if (code != 0) stop("header_get", code);
    return String.UTF8.decode(buffer.slice(0, <i32>load<usize>(written)));
  }

  headers(): string {
    const buffer = new ArrayBuffer(CHUNK_BYTES);
    const written = memory.data(8);
    const code = raw_headers_get_all(this.handle, changetype<usize>(buffer), buffer.byteLength, written);
    if (code != 0) stop("headers_get_all", code);
    return String.UTF8.decode(buffer.slice(0, <i32>load<usize>(written)));
  }

  body(): string {
    const buffer = new ArrayBuffer(CHUNK_BYTES);
    const written = memory.data(8);
    let bytes = new Array<u8>();
    while (true) {
      const code = raw_body_read(this.handle, changetype<usize>(buffer), buffer.byteLength, written);
      if (code != 0) stop("body_read", code);
      const count = <i32>load<usize>(written);
      if (count == 0) break;
      const chunk = Uint8Array.wrap(buffer, 0, count);
      for (let i = 0; i < count; i++) bytes.push(chunk[i]);
    }
    const whole = new Uint8Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) whole[i] = bytes[i];
    return String.UTF8.decode(whole.buffer);
  }

  close(): void {
    const code = raw_close(this.handle);
    if (code != 0) stop("close", code);
  }
}

/** Sends a request; `headers` are `name:value` lines, each with a line feed at its end. */
export function request(url: string, method: string, headers: string, body: ArrayBuffer): Response {
  const url_bytes = String.UTF8.encode(url);
  const method_bytes = String.UTF8.encode(method);
  const headers_bytes = String.UTF8.encode(headers);
  const status = memory.data(8);
  const handle = memory.data(8);
  const code = raw_req(
    changetype<usize>(url_bytes), url_bytes.byteLength, changetype<usize>(method_bytes), method_bytes.byteLength,
    changetype<usize>(headers_bytes), headers_bytes.byteLength, changetype<usize>(body), body.byteLength, status, handle
  );
  if (code != 0) stop("req", code);
  return new Response(<i32>load<usize>(status), <u32>load<usize>(handle));
}
