// The errors of WASI preview 1 that a guest can be told, by the numbers of its witx. The only place for them.

/** Error numbers; 0 is success. */
export const errno = {
  success: 0,
  /** Nothing to read now, and the guest asked not to wait. */
  again: 6,
  /** No such descriptor, or not one for this direction. */
  badf: 8,
  /** A pointer or length outside the guest's memory, or no memory at all. */
  fault: 21,
  inval: 28,
  notdir: 54,
  notsock: 57,
  /** Known, but no guest may have it. */
  notsup: 58,
  /** Nobody takes the output any more. */
  pipe: 64,
  /** Streams have no position. */
  spipe: 70,
} as const;

/** One of `errno`. */
export type Errno = (typeof errno)[keyof typeof errno];
