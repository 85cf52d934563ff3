// A guest that does what its standard input says, a line a step, and prints a line for each: for tests that
// need many requests of many kinds from a real guest.
//
//   get METHOD URL [HEADERS [BODY]]   headers with ";" for line ends; prints "STATUS LENGTH" or "error CODE"
//   open METHOD URL                   keeps the response open; prints "STATUS" or "error CODE"
//   read COUNT                        reads once from the newest open response; prints the count, or "error CODE"
//   close                             closes the newest open response; prints "closed"
//   exit CODE
import { request, Response } from "./http";
import { exit, print } from "./wasi";

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, vectors: usize, vectorCount: i32, readOut: usize): i32;

const input = new Uint8Array(65536);
let pending = "";
let ended = false;

function nextLine(): string | null {
  while (true) {
    const end = pending.indexOf("\n");
    if (end >= 0) {
      const line = pending.substring(0, end);
      pending = pending.substring(end + 1);
      return line;
    }
    if (ended) return pending.length > 0 ? drain() : null;
    const vector = new StaticArray<usize>(2);
    const count = new StaticArray<u32>(1);
    vector[0] = input.dataStart;
    vector[1] = input.byteLength;
    if (fd_read(0, changetype<usize>(vector), 1, changetype<usize>(count)) != 0 || count[0] == 0) ended = true;
    else pending += String.UTF8.decodeUnsafe(input.dataStart, count[0]);
  }
}

function drain(): string {
  const line = pending;
  pending = "";
  return line;
}

const open = new Array<Response>();
const buffer = new Uint8Array(65536);

function get(words: string[]): void {
  const headers = words.length > 3 ? words[3].split(";").join("\n") : "";
  const body = words.length > 4 ? words[4] : "";
  const response = request(words[1], words[2], headers, body);
  if (response.error != 0) return print("error " + response.error.toString() + "\n");
  let length = 0;
  let count = response.read(buffer);
  for (; count > 0; count = response.read(buffer)) length += count;
  print(response.status.toString() + " " + (count < 0 ? "broken" : length.toString()) + "\n");
  response.close();
}

for (let line = nextLine(); line !== null; line = nextLine()) {
  const words = line.split(" ");
  const verb = words[0];
  if (verb == "get") get(words);
  else if (verb == "open") {
    const response = request(words[1], words[2]);
    if (response.error == 0) open.push(response);
    print((response.error == 0 ? response.status.toString() : "error " + response.error.toString()) + "\n");
  } else if (verb == "read") {
    const count = open[open.length - 1].read(buffer.subarray(0, <i32>parseInt(words[1])));
    print(count < 0 ? "broken\n" : count.toString() + "\n");
  } else if (verb == "close") {
    open.pop().close();
    print("closed\n");
  } else if (verb == "exit") exit(<i32>parseInt(words[1]));
}
