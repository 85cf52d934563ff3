// The program's standard streams as the guest gets them: bytes as they are, no faster than the other side.
import { passError, writeOutput } from "./terminal.ts";

/** Standard input, read only when the guest asks for it: what it leaves is left for the next program. */
export function standardInput(): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<unknown> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        chunks ??= process.stdin[Symbol.asyncIterator]();
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else if (next.value instanceof Uint8Array) controller.enqueue(new Uint8Array(next.value));
      },
      cancel() {
        process.stdin.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Standard output; `onClosed` is called when nobody reads it any more. */
export function standardOutput(onClosed: () => void): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      if (!(await writeOutput(chunk))) onClosed();
    },
  });
}

/** Standard error; what nobody reads is dropped. */
export function standardError(): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      await passError(chunk);
    },
  });
}
