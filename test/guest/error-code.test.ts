// The error codes of wasi_experimental_http, written out: a changed code breaks guests that were built years ago.
import { describe, expect, test } from "vitest";
import { type Reason, reasonTable } from "../../src/core/reason.ts";
import { codeOfDenial, codeOfReason, errorCode } from "../../src/guest/experimental/error-code.ts";

test("the codes are those of the witx, in its order", () => {
  expect(errorCode).toEqual({
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
  });
});

const expected: readonly (readonly [Reason, number])[] = [
  ["invalid_url", 10],
  ["credentials_in_url", 10],
  ["invalid_method", 8],
  ["invalid_header", 9],
  ["request_headers_too_large", 9],
  ["scheme_not_allowed", 7],
  ["host_not_allowed", 7],
  ["ip_literal_not_allowed", 7],
  ["port_not_allowed", 7],
  ["method_not_allowed", 7],
  ["path_not_allowed", 7],
  ["header_not_allowed", 9],
  ["rule_denied", 7],
  ["policy_error", 12],
  ["address_forbidden", 7],
  ["dns_not_found", 11],
  ["dns_no_address", 11],
  ["dns_timeout", 11],
  ["dns_failed", 11],
  ["redirect_limit_exceeded", 11],
  ["redirect_scheme_downgrade", 7],
  ["redirect_invalid_location", 11],
  ["rate_limited", 13],
  ["concurrency_exceeded", 13],
  ["request_budget_exhausted", 13],
  ["byte_budget_exhausted", 13],
  ["request_body_too_large", 13],
  ["response_headers_too_large", 11],
  ["response_body_too_large", 13],
  ["connect_timeout", 11],
  ["tls_timeout", 11],
  ["headers_timeout", 11],
  ["body_timeout", 11],
  ["request_timeout", 11],
  ["run_deadline_exceeded", 11],
  ["tls_certificate_invalid", 11],
  ["tls_hostname_mismatch", 11],
  ["tls_handshake_failed", 11],
  ["connection_refused", 11],
  ["connection_reset", 11],
  ["connection_closed", 11],
  ["network_unreachable", 11],
  ["protocol_error", 11],
  ["audit_unavailable", 12],
  ["shutting_down", 12],
  ["internal_error", 12],
  ["guest_cancelled", 12],
  ["guest_terminated", 12],
];

describe("reasons", () => {
  test.each(expected)("%s is %d", (reason, code) => {
    expect(codeOfDenial({ reason, stage: reasonTable[reason].stage })).toBe(code);
  });

  test("each reason is in the list above", () => {
    expect(Object.fromEntries(expected)).toEqual(codeOfReason);
    expect(Object.keys(codeOfReason).toSorted()).toEqual(Object.keys(reasonTable).toSorted());
  });

  test("a policy denial of a redirect's target is 7, like one of the first", () => {
    expect(codeOfDenial({ reason: "host_not_allowed", stage: "redirect" })).toBe(7);
    expect(codeOfDenial({ reason: "address_forbidden", stage: "redirect" })).toBe(7);
  });

  test("a bad URL in a redirect is the server's fault, not the guest's", () => {
    expect(codeOfDenial({ reason: "credentials_in_url", stage: "redirect" })).toBe(11);
  });
});
