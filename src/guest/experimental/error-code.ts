// The error codes of wasi_experimental_http, and which of them each reason becomes.
// INVARIANT (guest sees codes only): a guest learns one of fourteen numbers, never a reason, an address or a rule.
import type { Reason, Stage } from "../../core/reason.ts";

/** The codes of the witx, in its order. */
export const errorCode = {
  success: 0,
  invalidHandle: 1,
  memoryNotFound: 2,
  memoryAccessError: 3,
  bufferTooSmall: 4,
  headerNotFound: 5,
  utf8Error: 6,
  destinationNotAllowed: 7,
  invalidMethod: 8,
  invalidEncoding: 9,
  invalidUrl: 10,
  requestError: 11,
  runtimeError: 12,
  tooManySessions: 13,
} as const;

/** What a function of wasi_experimental_http returns. */
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

const {
  destinationNotAllowed,
  invalidMethod,
  invalidEncoding,
  invalidUrl,
  requestError,
  runtimeError,
  tooManySessions,
} = errorCode;

/** What each reason is to a guest of this ABI. Total: a new reason does not compile without its code. */
export const codeOfReason: Readonly<Record<Reason, ErrorCode>> = {
  invalid_url: invalidUrl,
  credentials_in_url: invalidUrl,
  invalid_method: invalidMethod,
  invalid_header: invalidEncoding,
  request_headers_too_large: invalidEncoding,

  scheme_not_allowed: destinationNotAllowed,
  host_not_allowed: destinationNotAllowed,
  ip_literal_not_allowed: destinationNotAllowed,
  port_not_allowed: destinationNotAllowed,
  method_not_allowed: destinationNotAllowed,
  path_not_allowed: destinationNotAllowed,
  header_not_allowed: invalidEncoding,
  rule_denied: destinationNotAllowed,
  policy_error: runtimeError,

  address_forbidden: destinationNotAllowed,

  dns_not_found: requestError,
  dns_no_address: requestError,
  dns_timeout: requestError,
  dns_failed: requestError,

  redirect_limit_exceeded: requestError,
  redirect_scheme_downgrade: destinationNotAllowed,
  redirect_invalid_location: requestError,

  rate_limited: tooManySessions,
  concurrency_exceeded: tooManySessions,
  request_budget_exhausted: tooManySessions,
  byte_budget_exhausted: tooManySessions,

  request_body_too_large: tooManySessions,
  response_headers_too_large: requestError,
  response_body_too_large: tooManySessions,

  connect_timeout: requestError,
  tls_timeout: requestError,
  headers_timeout: requestError,
  body_timeout: requestError,
  request_timeout: requestError,
  run_deadline_exceeded: requestError,

  tls_certificate_invalid: requestError,
  tls_hostname_mismatch: requestError,
  tls_handshake_failed: requestError,

  connection_refused: requestError,
  connection_reset: requestError,
  connection_closed: requestError,
  network_unreachable: requestError,
  protocol_error: requestError,

  audit_unavailable: runtimeError,
  shutting_down: runtimeError,
  internal_error: runtimeError,

  guest_cancelled: runtimeError,
  guest_terminated: runtimeError,
};

/**
 * The code for a denial. A redirect's target with a bad URL is the server's fault: telling the guest that its own
 * URL was invalid would send its author looking in the wrong place.
 */
export function codeOfDenial({
  reason,
  stage,
}: {
  readonly reason: Reason;
  readonly stage: Stage;
}): ErrorCode {
  const code = codeOfReason[reason];
  return stage === "redirect" && code === invalidUrl ? requestError : code;
}
