// How a Denial is made, and how one is told from other abort reasons.
// It must never hold text of a guest or server that is not fit for a record.
import type { Reason } from "../core/reason.ts";
import { reasonTable } from "../core/reason.ts";
import { recordText } from "../core/record-text.ts";
import type { Denial } from "./message.ts";

// Certificates and status lines are a server's text; what an operator needs of it fits in a line.
const detailLengthMax = 256;

/** A denial with the reason's own stage and kind; `detail` is made fit for a record. */
export function denialOf(reason: Reason, detail?: string): Denial {
  const { stage, kind } = reasonTable[reason];
  return { reason, stage, kind, ...(detail ? { detail: recordText(detail, detailLengthMax) } : {}) };
}

/** Why a signal aborted: the Denial that is its reason, or `guest_cancelled` where it has another one. */
export function denialOfSignal(signal: AbortSignal): Denial {
  const reason: unknown = signal.reason;
  return isDenial(reason) ? reason : denialOf("guest_cancelled");
}

function isDenial(value: unknown): value is Denial {
  if (typeof value !== "object" || value === null) return false;
  if (!("reason" in value && "stage" in value && "kind" in value)) return false;
  return typeof value.reason === "string" && Object.hasOwn(reasonTable, value.reason);
}
