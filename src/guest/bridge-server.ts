// The host's side of the bridge: one guest's calls, carried to the gate and to the streams of its run.
// INVARIANT (nothing is left open): after close, no response of this guest is open and none will be.
import type { Clock } from "../core/clock.ts";
import type { Gate, HeaderField, OpenResponse } from "../egress/message.ts";
import { codeOfDenial, errorCode } from "./experimental/error-code.ts";
import { type OutputSink, openGuestInput, writeOutput } from "./guest-streams.ts";
import type { Answers, GuestCall } from "./thread/message.ts";

/** What one guest's calls lead to. */
export interface BridgeParts {
  readonly gate: Gate;
  readonly stdin: ReadableStream<Uint8Array> | undefined;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  readonly clock: Clock;
  /** Aborts when the guest ends; its reason is a Denial. */
  readonly signal: AbortSignal;
}

/** The calls of one guest. */
export interface BridgeServer {
  /** Never rejects. */
  answer(call: GuestCall): Promise<Answers[GuestCall["kind"]]>;
  /** False when this guest holds no such response. */
  closeResponse(handle: number): boolean;
  /** Closes every response and gives the streams back. */
  close(): void;
}

/** Opens the bridge of one guest. */
export function openBridgeServer(parts: BridgeParts): BridgeServer {
  const responses = new Map<number, OpenResponse>();
  const input = openGuestInput(parts.stdin, parts.clock);
  let lastHandle = 0;
  let closed = false;

  async function request(call: GuestCall & { kind: "request" }): Promise<Answers["request"]> {
    const { method, url, headers, body } = call;
    const outcome = await parts.gate.request({ method, url, headers, body }, { signal: parts.signal });
    if (outcome.kind === "refused") return { code: codeOfDenial(outcome.denial) };
    const { response } = outcome;
    if (closed) {
      response.close();
      return { code: errorCode.runtimeError };
    }
    lastHandle += 1;
    responses.set(lastHandle, response);
    const { status } = response;
    return { code: errorCode.success, handle: lastHandle, status, headers: headerLines(response.headers) };
  }

  async function read({ handle, bytesMax }: GuestCall & { kind: "read" }): Promise<Answers["read"]> {
    const response = responses.get(handle);
    if (response === undefined) return { code: errorCode.invalidHandle };
    const found = await response.read(bytesMax);
    if (!found.ok) return { code: codeOfDenial(found.error) };
    return { code: errorCode.success, bytes: found.value };
  }

  async function answerKind(call: GuestCall): Promise<Answers[GuestCall["kind"]]> {
    switch (call.kind) {
      case "request":
        return request(call);
      case "read":
        return read(call);
      case "write":
        return writeOutput(call.stream === 1 ? parts.stdout : parts.stderr, call.bytes);
      case "input":
        return input.read(call.bytesMax, call.waitMs);
    }
  }

  return {
    answer: answerKind,
    closeResponse(handle) {
      const response = responses.get(handle);
      if (response === undefined) return false;
      responses.delete(handle);
      response.close();
      return true;
    },
    close() {
      closed = true;
      for (const response of responses.values()) response.close();
      responses.clear();
      input.close();
    },
  };
}

// Lines, as the ABI gives them to the guest. The gate lets no line end and no character over U+00FF through.
function headerLines(headers: readonly HeaderField[]): string {
  let lines = "";
  for (const [name, value] of headers) lines += `${name}:${value}\n`;
  return lines;
}
