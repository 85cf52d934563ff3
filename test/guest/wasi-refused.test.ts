// Files, directories, sockets and positions: every function answers, and the answer is always no.
import { describe, expect, test } from "vitest";
import { signatures } from "../../src/guest/thread/wasi/signatures.ts";
import { fakeGuest } from "../support/wasi-host.ts";

const badf = 8;
const inval = 28;
const notdir = 54;
const notsock = 57;
const notsup = 58;
const spipe = 70;

type Name = keyof typeof signatures;

// The descriptor first, zero for the rest.
function call(name: Name, fd: number): number {
  const zeros = [...signatures[name]].map((kind) => (kind === "i" ? 0 : 0n));
  return fakeGuest().call(name, fd, ...zeros.slice(1));
}

const answers: readonly (readonly [Name, number])[] = [
  ["fd_advise", spipe],
  ["fd_allocate", spipe],
  ["fd_datasync", inval],
  ["fd_fdstat_set_rights", notsup],
  ["fd_filestat_set_size", inval],
  ["fd_filestat_set_times", notsup],
  ["fd_pread", spipe],
  ["fd_pwrite", spipe],
  ["fd_readdir", notdir],
  ["fd_seek", spipe],
  ["fd_sync", inval],
  ["fd_tell", spipe],
  ["sock_accept", notsock],
  ["sock_recv", notsock],
  ["sock_send", notsock],
  ["sock_shutdown", notsock],
];

describe("a stream answers as a pipe does, and what is not open is badf", () => {
  test.each(answers)("%s: %d", (name, error) => {
    for (const stream of [0, 1, 2]) expect(call(name, stream)).toBe(error);
    for (const other of [3, 4, 1_000, -1]) expect(call(name, other)).toBe(badf);
  });
});

describe("no descriptor is a directory", () => {
  const names = (Object.keys(signatures) as Name[]).filter(
    (name) => name.startsWith("path_") || name.startsWith("fd_prestat_"),
  );
  test("which concerns twelve functions", () => {
    expect(names).toHaveLength(12);
  });
  test.each(names)("%s is badf whatever it is given", (name) => {
    for (const fd of [0, 1, 2, 3, 4, 5, -1]) expect(call(name, fd)).toBe(badf);
  });
});

test("a path that exists on the host is neither opened nor told", () => {
  const guest = fakeGuest();
  const path = "/etc/passwd";
  guest.memory.writeBytes(64, Buffer.from(path));
  for (const fd of [0, 1, 2, 3, 4]) {
    expect(guest.call("path_open", fd, 1, 64, path.length, 0, -1n, -1n, 0, 1_024)).toBe(badf);
    expect(guest.call("path_filestat_get", fd, 1, 64, path.length, 1_024)).toBe(badf);
  }
  expect(
    guest
      .bytes()
      .slice(1_024)
      .every((byte) => byte === 0),
  ).toBe(true);
});
