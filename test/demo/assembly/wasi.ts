// The few functions of WASI preview 1 that the demo needs: text out, one environment variable, the end of the program.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, vectorCount: i32, writtenOut: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environ_sizes_get(countOut: usize, bytesOut: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
declare function environ_get(pointersOut: usize, textOut: usize): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

/** Writes text as it is; a host may take less than all of it at a time. */
export function print(text: string, fd: i32 = 1): void {
  const bytes = String.UTF8.encode(text);
  const vector = new StaticArray<usize>(2);
  const written = new StaticArray<u32>(1);
  let start = 0;
  while (start < bytes.byteLength) {
    vector[0] = changetype<usize>(bytes) + start;
    vector[1] = bytes.byteLength - start;
    if (fd_write(fd, changetype<usize>(vector), 1, changetype<usize>(written)) != 0) return;
    start += written[0];
  }
}

/** The value of an environment variable, or an empty text. */
export function environment(name: string): string {
  const sizes = new StaticArray<u32>(2);
  if (environ_sizes_get(changetype<usize>(sizes), changetype<usize>(sizes) + 4) != 0) return "";
  const pointers = new StaticArray<usize>(sizes[0] + 1);
  const text = new StaticArray<u8>(sizes[1] + 1);
  if (environ_get(changetype<usize>(pointers), changetype<usize>(text)) != 0) return "";
  for (let i: u32 = 0; i < sizes[0]; i++) {
    const entry = String.UTF8.decodeUnsafe(pointers[i], sizes[1], true);
    if (entry.startsWith(name + "=")) return entry.substring(name.length + 1);
  }
  return "";
}

/** Ends the program. */
export function exit(code: i32): void {
  proc_exit(code);
}

/** What the compiler calls when an assertion fails; see `--use abort=wasi/abort` in test/support/assemblyscript.ts. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const words = message === null ? "aborted" : message;
  const place = file === null ? "" : file + ":" + line.toString() + ":" + column.toString() + ": ";
  print(place + words + "\n", 2);
  proc_exit(255);
}
