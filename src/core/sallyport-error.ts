// The errors that are thrown at embedders: their own mistakes, and a refused host-side fetch.
// Never used for what a guest does: a guest's refusals are values.
import type { AddressRange, Reason, Stage } from "./reason.ts";

/** Stable codes of the embedder's mistakes. */
export type SallyportErrorCode =
  | "option_invalid"
  | "policy_unreadable"
  | "policy_invalid"
  | "module_invalid"
  | "audit_unavailable"
  | "closed";

/** An embedder's mistake. The message says what happened, where, and what to write instead. */
export class SallyportError extends Error {
  override readonly name = "SallyportError";
  readonly code: SallyportErrorCode;

  constructor(code: SallyportErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Why `sandbox.fetch` has no response. For the operator: never hand its fields to a guest. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly reason: Reason;
  readonly stage: Stage;
  readonly rule: string | undefined;
  readonly address: string | undefined;
  readonly range: AddressRange | "denied_by_rule" | undefined;

  constructor(
    message: string,
    facts: {
      readonly reason: Reason;
      readonly stage: Stage;
      readonly rule?: string;
      readonly address?: string;
      readonly range?: AddressRange | "denied_by_rule";
    },
  ) {
    super(message);
    this.reason = facts.reason;
    this.stage = facts.stage;
    this.rule = facts.rule;
    this.address = facts.address;
    this.range = facts.range;
  }
}
