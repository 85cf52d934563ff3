// Writing to the standard streams: back-pressure, colours, columns, and text that a guest had a hand in.
// INVARIANT (guest text is shown, not obeyed): whatever comes from outside passes `printable` before a terminal.

// C0, DEL and C1 drive terminals; line separators and bidirectional marks make text read as something else.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;

/** `text` on one line, with every character that could drive a terminal written as an escape. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

type Stream = NodeJS.WriteStream & { fd: 1 | 2 };

// Without a listener the first write after the reader went away would end the process with a stack trace.
const failed = new Map<NodeJS.WriteStream, Error>();
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (fault) => failed.set(stream, fault));
}

/** Why standard output cannot be written, unless its reader merely went away. */
export function outputFault(): Error | undefined {
  const fault = failed.get(process.stdout);
  return fault !== undefined && "code" in fault && fault.code === "EPIPE" ? undefined : fault;
}

/**
 * Writes and waits until the operating system took it: back-pressure.
 * False when nobody reads the stream any more; then everything later is dropped.
 */
function write(stream: Stream, chunk: string | Uint8Array): Promise<boolean> {
  if (failed.has(stream) || stream.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    stream.write(chunk, (fault) => {
      if (fault != null) failed.set(stream, fault);
      resolve(fault == null);
    });
  });
}

/** `write` to standard output. */
export function writeOutput(chunk: string | Uint8Array): Promise<boolean> {
  return write(process.stdout, chunk);
}

// Guest and program share standard error; whether the guest's last line is still open.
let lineOpen = false;

/** The guest's bytes to standard error. */
export function passError(chunk: Uint8Array): Promise<boolean> {
  if (chunk.length > 0) lineOpen = chunk[chunk.length - 1] !== 0x0a;
  return write(process.stderr, chunk);
}

/** Our own whole lines to standard error; they never continue a line of the guest's. */
export function writeError(text: string): Promise<boolean> {
  if (text === "") return write(process.stderr, text);
  const start = lineOpen ? "\n" : "";
  lineOpen = false;
  return write(process.stderr, `${start}${text}`);
}

/** Paints for one stream: escape codes on a terminal, plain text anywhere else. */
export interface Paint {
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Colours only on a terminal, and not where the user asked for none (https://no-color.org). */
export function paintFor(stream: Stream): Paint {
  const { NO_COLOR, TERM } = process.env;
  const colours = stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === "") && TERM !== "dumb";
  const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { red: paint(31), green: paint(32), yellow: paint(33), dim: paint(2) };
}

/** Rows in aligned columns, two blanks apart; columns named in `numeric` are aligned to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly string[],
): string {
  const widths = head.map((name, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] ?? "").length), name.length),
  );
  const right = head.map((name) => numeric.includes(name));
  return [head, ...rows]
    .map((row) =>
      row
        .map((text, column) => {
          const width = widths[column] ?? 0;
          return right[column] === true ? text.padStart(width) : text.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
