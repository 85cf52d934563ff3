// Sizes, offsets and numbers of WASI preview 1's structures, from its witx. Holds no behaviour.

/** `iovec` and `ciovec`: where a piece of a scattered buffer lies. */
export const vectorLayout = { size: 8, pointer: 0, length: 4 } as const;

/** `fdstat`: what a descriptor is and may do. */
export const fdstatLayout = { size: 24, filetype: 0, flags: 2, rights: 8, rightsInheriting: 16 } as const;

/** `filestat`; only the type says anything about a stream. */
export const filestatLayout = { size: 64, filetype: 16 } as const;

/** `subscription`: what poll_oneoff waits for. The clock's and the descriptor's fields share their place. */
export const subscriptionLayout = {
  size: 48,
  userdata: 0,
  tag: 8,
  clockId: 16,
  clockTimeout: 24,
  clockFlags: 40,
  descriptor: 16,
} as const;

/** `event`: what poll_oneoff reports. */
export const eventLayout = { size: 32, userdata: 0, error: 8, type: 10, bytes: 16, flags: 24 } as const;

/** `eventtype`. */
export const eventType = { clock: 0, fdRead: 1, fdWrite: 2 } as const;

/** `eventrwflags`: the other side is gone, nothing more will come. */
export const eventHangup = 1;

/** `subclockflags`: the timeout is a point in time, not a duration. */
export const clockAbsolute = 1;

/** `clockid`. The two CPU clocks of the witx, 2 and 3, are not offered. */
export const clockId = { realtime: 0, monotonic: 1 } as const;

/** `filetype`. */
export const filetype = { unknown: 0, characterDevice: 2 } as const;

/** `fdflags`. */
export const fdflags = { nonblock: 4, all: 31 } as const;

/** `rights`, those that streams have. No right to seek or tell: that is how libc knows a terminal-like stream. */
export const rights = {
  fdRead: 1n << 1n,
  fdFdstatSetFlags: 1n << 3n,
  fdWrite: 1n << 6n,
  fdFilestatGet: 1n << 21n,
  pollFdReadwrite: 1n << 27n,
} as const;
