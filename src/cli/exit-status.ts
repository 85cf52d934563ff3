// Every exit status of the program. Scripts depend on the numbers: none is ever reused.

/** What the process ends with, unless a guest's own code says otherwise. */
export const exitStatus = {
  good: 0,
  /** The question was answered, and the answer is a finding: a faulty policy, a denied request. */
  findings: 1,
  /** Wrong usage, unreadable files, faulty policy or module, or a fault of ours: nothing was run. */
  cannotRun: 2,
  /** The deadline ended the guest; the number that timeout(1) uses. */
  deadline: 124,
  /** The guest trapped; what a shell reports for SIGABRT, and what other WebAssembly runners use. */
  trap: 134,
  /** SIGINT ended the guest. */
  interrupted: 130,
  /** Whoever read our standard output went away; what a shell reports for SIGPIPE. */
  outputClosed: 141,
  /** SIGTERM ended the guest. */
  terminated: 143,
} as const;
