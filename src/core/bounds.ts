// Every numeric ceiling that is compiled in, each with the reason for its number.
// A limit is what a policy sets; a bound is ours and no policy raises it.

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;

/** Ceilings on what guests, servers and files can make grow. Sizes in bytes, times in milliseconds. */
export const bounds = {
  /** Longest URL: what servers and proxies commonly take (RFC 9110 section 4.1 asks for 8000 octets). */
  urlBytesMax: 8 * kibibyte,
  /** Longest host name in text form (RFC 1035 section 2.3.4). */
  hostLengthMax: 253,
  /** Longest label (RFC 1035 section 2.3.4). */
  labelLengthMax: 63,
  /** Longest method that is looked at; the longest registered one has 17 letters (IANA). */
  methodLengthMax: 32,
  /** Request header lines: ten times what browsers send. */
  requestHeadersMax: 100,
  /** Request header bytes, names and values: under every common server's own limit. */
  requestHeaderBytesMax: 32 * kibibyte,
  /** Response header lines: servers that set many cookies stay under it. */
  responseHeadersMax: 256,
  /** Response header bytes: four times Node's own default. */
  responseHeaderBytesMax: 64 * kibibyte,
  /** Requests on the wire for one request of a guest, redirects included: curl and browsers give up between 10 and 50. */
  redirectHopsMax: 10,
  /** Addresses of one answer that are looked at: more is no honest name. */
  answersMax: 64,
  /** Addresses of one answer that are dialled, one after the other. */
  dialsMax: 4,
  /** Different names resolved per minute and guest: a name is a channel to its name server. */
  namesPerMinuteMax: 120,
  /** One name's resolution; getaddrinfo itself gives up after about 10 s. */
  dnsTimeoutMs: 5_000,
  /** One TCP connection; three SYN retransmissions fit in. */
  connectTimeoutMs: 10_000,
  /** One TLS handshake. */
  tlsTimeoutMs: 10_000,
  /** From the last request byte to the final response header. */
  headersTimeoutMs: 30_000,
  /** Silence within a response body while the guest waits for it. */
  bodyIdleTimeoutMs: 30_000,
  /** Idle connections are closed after this: below the 5 s that Node's servers keep theirs. */
  keepAliveMs: 4_000,
  /** A connection is not used beyond this age, so that a name's new answers are seen. */
  connectionAgeMsMax: 30_000,
  /** Idle connections kept per guest and policy generation. */
  idleConnectionsMax: 32,
  /** Response bytes buffered for a guest that does not read: one HTTP chunk and the socket's own window. */
  responseBufferBytes: 64 * kibibyte,
  /** Bytes that one read call brings to a guest: larger ones cost more copies than calls. */
  readBytesMax: 256 * kibibyte,
  /** A guest's memory unless the embedder says otherwise. */
  guestMemoryBytesDefault: 256 * mebibyte,
  /** What WebAssembly itself can address with 32 bits. */
  guestMemoryBytesMax: 4 * gibibyte,
  /** A module's file: the largest language runtimes come to some 30 MiB. */
  moduleBytesMax: 128 * mebibyte,
  /** A guest's run unless the embedder says otherwise. */
  runTimeoutMsDefault: 300_000,
  /** Standard output or error kept in memory for the embedder; the rest is counted and dropped. */
  outputBytesMax: mebibyte,
  /** Bytes of one write that cross to the host; longer writes are short writes (WASI allows them). */
  outputChunkBytesMax: 64 * kibibyte,
  /** Bytes of standard input that one call brings to a guest: a pipe's buffer on Linux. */
  inputChunkBytesMax: 64 * kibibyte,
  /** Scattered buffers of one WASI read or write: IOV_MAX on Linux. */
  wasiVectorsMax: 1_024,
  /** Subscriptions of one poll_oneoff; a guest without files has three things and its timers to wait for. */
  wasiSubscriptionsMax: 4_096,
  /** What a guest's monotonic clock tells apart: browsers give this to pages that share a process with others. */
  wasiMonotonicGrainNs: 100_000,
  /** What a guest's wall clock tells apart: a millisecond is what Date.now knows. */
  wasiRealtimeGrainNs: 1_000_000,
  /** One sleep within poll_oneoff, which sleeps again: below every timer's 2^31, and a changed wall clock is noticed. */
  wasiSleepMsMax: 60_000,
  /** Arguments and environment of a guest, all bytes together: Linux's default for a process is 2 MiB. */
  argumentBytesMax: mebibyte,
  /** A policy file: ten thousand rules come to about two mebibytes. */
  policyBytesMax: 32 * mebibyte,
  /** Values of a policy with its YAML aliases written out: some forty for each of a hundred thousand rules. */
  policyValuesMax: 4_000_000,
  /** Decodings of one request path that deny rules are held against; an honest path has fewer than ten. */
  pathDecodingsMax: 128,
  /** Guest text that reaches a span or a record: OpenTelemetry's usual value limit, halved. */
  recordTextMax: 2_048,
  /** Guests whose limits are remembered while they are idle: some 2 KiB each. */
  guestsKnownMax: 10_000,
  /** Guests that run at once: each has a thread of some 8 MiB; 64 of them are half a gigabyte. */
  guestsRunningMax: 64,
  /** Longest name of a guest, given by the embedder; it stands in every span and record. */
  guestNameLengthMax: 256,
  /** Query keys of a URL that a record names; a page with more has no reader. */
  recordedQueryKeysMax: 32,
  /** Longest query key that a record names: longer ones carry data. */
  recordedQueryKeyLengthMax: 64,
  /** Longest query key without a value that a record names: padded base64 of twelve bytes looks like one. */
  recordedEmptyKeyLengthMax: 16,
  /** Longest URL text that redaction looks through; a longer one is refused unread and recorded as such. */
  redactedTextMax: 32 * kibibyte,
  /** Addresses of an answer that a span or a record lists: honest names have fewer. */
  recordedAnswersMax: 16,
  /** Entries of any list in an audit record: the request headers, of which there are at most 100. */
  recordedListMax: 100,
  /** Longest text within a list of an audit record: with the entries, some 25 KiB a record. */
  recordedListTextMax: 256,
  /** Longest span name: trace stores index names, and the guest's id and a rule's path are in some. */
  spanNameLengthMax: 256,
  /** Audit records that wait for one write: one second of what a disk took when measured at its slowest. */
  auditQueueRecordsMax: 10_000,
  /** Function types of one module; the largest compilers' output has some thousand. */
  moduleTypesMax: 10_000,
  /** Different function types of all modules together: the engine keeps them for ever and ends the process at two million. */
  moduleTypesKnownMax: 1_000_000,
  /** Imports of one module: the host has 51 functions, and linkers name each once. */
  moduleImportsMax: 1_000,
  /** Exports of one module: each is an object in the guest thread's heap, and a million of them ended the process. */
  moduleExportsMax: 10_000,
  /** Export names of one module, all bytes together; they are kept in the same heap. */
  moduleExportNameBytesMax: mebibyte,
  /** Functions of one module: the engine's own ceiling. */
  moduleFunctionsMax: 1_000_000,
  /** One function's code: it is compiled in one go that nothing interrupts, 0.3 s a mebibyte at worst. */
  functionCodeBytesMax: mebibyte,
  /** One module's code. One byte becomes up to 20 of machine code, and the engine ends the process at 4 GiB. */
  moduleCodeBytesMax: 32 * mebibyte,
  /** Code of all different modules that run at once; further guests wait. With the cache, 128 MiB times 30 is under 4 GiB. */
  runningCodeBytesMax: 64 * mebibyte,
  /** Compiled modules that are kept, and their bytes together. */
  preparedModulesMax: 64,
  preparedModuleBytesMax: 64 * mebibyte,
  /** Tables of one module; compilers make one or two. */
  moduleTablesMax: 64,
  /**
   * Entries of all tables of a guest: 24 bytes each, in one piece, in the thread's heap. Node lets a heap pass its limit
   * by 16 MiB while it ends the thread; an allocation beyond that ends the process (measured with a million entries).
   */
  guestTableEntriesMax: 262_144,
  /** Heap of a guest's thread; the guest's own memory is not in it. */
  threadHeapMebibytesMax: 64,
  /** Of it, for young objects: small, as every thread has its own. */
  threadYoungHeapMebibytesMax: 4,
  /** Stack of a guest's thread: Node's default for workers; some 60,000 frames. */
  threadStackMebibytes: 4,
  /** Runs that a thread serves before a new one takes its place, so that nothing adds up. */
  threadRunsMax: 1_000,
  /** A thread whose guest had more memory than this is not kept: the engine gives memory back late. */
  threadMemoryBytesKept: 16 * mebibyte,
  /** Response handles that a guest holds at once, whatever a policy says: Linux gives a process as many descriptors. */
  openResponsesMax: 1_024,
  /** Least bytes that a body read asks for, so that a guest with a small buffer does not cross for every few bytes. */
  readBytesMin: 16 * kibibyte,
  /** Least bytes whose memory is handed over between threads: fewer are cloned for less. */
  transferBytesMin: 4 * kibibyte,
  /** What is told of a trap; the engine's own sentences are shorter. */
  trapMessageLengthMax: 1_024,
} as const;
