// A response on its way to the guest: counts its bytes, ends its record once, holds its permit until close.
// It must never give bytes after a failure, nor end a record twice.

import { bounds } from "../core/bounds.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { HopResponse } from "./connection.ts";
import { denialOf } from "./denial.ts";
import type { Turn } from "./hop.ts";
import { limitDenial, settingsOf, withRule } from "./hop.ts";
import type { Passed } from "./judge.ts";
import type { Denial, OpenResponse } from "./message.ts";

const nothing = new Uint8Array(0);

/** Opens the response of the last hop. The turn's permit and scope are the response's from here on. */
export async function openResponse(turn: Turn, judgement: Passed, sent: HopResponse): Promise<OpenResponse> {
  const { record, scope, generation } = turn;
  const { ruleId, limits } = settingsOf(judgement, generation);
  record.answered(sent.status);
  let ended = false;
  let failure: Denial | undefined;
  let closed = false;

  function end(denial?: Denial): void {
    if (ended) return;
    ended = true;
    failure = denial && withRule(denial, ruleId);
    scope.signal.removeEventListener("abort", onAbort);
    scope.dispose();
    if (denial !== undefined) sent.discard();
    void record.end(failure);
  }

  // The deadline holds for a guest that does not read, too: its socket goes, its handle stays.
  const onAbort = (): void => end(scope.denial());
  scope.signal.addEventListener("abort", onAbort);

  async function read(bytesMax: number): Promise<Result<Uint8Array, Denial>> {
    if (failure !== undefined) return err(failure);
    if (closed || ended) return ok(nothing);
    const got = await sent.read(Math.min(bytesMax, bounds.readBytesMax));
    // An abort may have come while the read waited; what it said first stands.
    if (failure !== undefined) return err(failure);
    if (!got.ok) {
      end(got.error);
      return err(failure ?? got.error);
    }
    if (got.value.byteLength === 0) {
      end();
      return got;
    }
    record.received(got.value.byteLength);
    const spent = generation.limiter.spendIn(ruleId, limits, got.value.byteLength);
    if (spent.ok) return got;
    const denial = limitDenial(spent.error, ruleId);
    end(denial);
    return err(denial);
  }

  function close(): void {
    if (closed) return;
    closed = true;
    end(denialOf("guest_cancelled"));
    turn.permit?.release();
  }

  if (scope.signal.aborted) onAbort();
  // A response without a body has been read to its end already (RFC 9112 section 6.3).
  else if (isBodyless(judgement.hop.method, sent)) await read(1);
  return { status: sent.status, headers: sent.headers, url: record.url, read, close };
}

/** Whether a response has no body to wait for. */
export function isBodyless(
  method: string,
  { status, headers }: Pick<OpenResponse, "status" | "headers">,
): boolean {
  if (method === "HEAD" || status === 204 || status === 304) return true;
  return headers.some(([name, value]) => name === "content-length" && Number(value) === 0);
}
