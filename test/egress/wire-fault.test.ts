// Every error of the wire has a reason; the table is literal.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reasonTable } from "../../src/core/reason.ts";
import { denialOf, denialOfSignal } from "../../src/egress/denial.ts";
import { type WireStep, wireFault } from "../../src/egress/wire-fault.ts";

function fault(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

const steps: readonly WireStep[] = ["dns", "connect", "tls", "certificate", "headers", "body"];

describe("an error of the wire has a reason", () => {
  test.each<[WireStep, Error, string]>([
    ["dns", fault("ENOTFOUND"), "dns_not_found"],
    ["dns", fault("ENODATA"), "dns_no_address"],
    ["dns", fault("EAI_AGAIN"), "dns_failed"],
    ["dns", fault("ETIMEOUT"), "dns_timeout"],
    ["dns", fault("ESERVFAIL"), "dns_failed"],
    ["connect", fault("ECONNREFUSED"), "connection_refused"],
    ["connect", fault("ECONNRESET"), "connection_reset"],
    ["connect", fault("ETIMEDOUT"), "connect_timeout"],
    ["connect", fault("EHOSTUNREACH"), "network_unreachable"],
    ["connect", fault("ENETUNREACH"), "network_unreachable"],
    ["connect", fault("EADDRNOTAVAIL"), "network_unreachable"],
    ["connect", fault("EACCES"), "network_unreachable"],
    ["connect", fault("EMFILE"), "internal_error"],
    ["tls", fault("ERR_SSL_WRONG_VERSION_NUMBER"), "tls_handshake_failed"],
    ["tls", fault("ECONNRESET"), "tls_handshake_failed"],
    ["certificate", fault("ERR_TLS_CERT_ALTNAME_INVALID"), "tls_hostname_mismatch"],
    ["certificate", fault("CERT_HAS_EXPIRED"), "tls_certificate_invalid"],
    ["certificate", fault("A_CODE_OF_TOMORROW"), "tls_certificate_invalid"],
    ["headers", fault("ECONNRESET"), "connection_reset"],
    ["headers", fault("EPIPE"), "connection_reset"],
    ["headers", fault("UND_ERR_SOCKET", "other side closed"), "connection_closed"],
    ["headers", fault("UND_ERR_SOCKET", "bad response"), "protocol_error"],
    ["headers", fault("UND_ERR_SOCKET", "bad upgrade"), "protocol_error"],
    ["headers", fault("UND_ERR_HEADERS_OVERFLOW"), "response_headers_too_large"],
    ["headers", fault("HPE_INVALID_CONSTANT"), "protocol_error"],
    ["headers", fault("UND_ERR_RES_CONTENT_LENGTH_MISMATCH"), "protocol_error"],
    ["headers", fault("ERR_ASSERTION"), "protocol_error"],
    ["headers", fault("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), "tls_handshake_failed"],
    ["headers", fault("UND_ERR_INVALID_ARG"), "internal_error"],
    ["body", fault("UND_ERR_RES_CONTENT_LENGTH_MISMATCH"), "connection_closed"],
    [
      "body",
      new Error("Response does not match the HTTP/1.1 protocol (Invalid EOF state)"),
      "connection_closed",
    ],
    ["body", fault("UND_ERR_SOCKET", "other side closed"), "connection_closed"],
    ["body", fault("HPE_INVALID_CHUNK_SIZE"), "protocol_error"],
    ["body", fault("UND_ERR_HEADERS_OVERFLOW"), "response_headers_too_large"],
    ["body", fault("ECONNRESET"), "connection_reset"],
  ])("at the step %s, %s is %s", (step, error, reason) => {
    expect(wireFault(error, step).reason).toBe(reason);
  });

  test("whatever was thrown, at every step", () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...steps), (thrown, step) => {
        const denial = wireFault(thrown, step);
        expect(reasonTable[denial.reason]).toBeDefined();
        expect(denial.stage).toBe(reasonTable[denial.reason].stage);
      }),
    );
  });

  test("a server's text is made one bounded line", () => {
    const denial = wireFault(fault("X", `a\r\nb\u001b[31m${"c".repeat(10_000)}`), "headers");
    const characters = [...(denial.detail ?? "")];
    expect(characters.filter((character) => character < " ")).toEqual([]);
    expect(characters.length).toBeLessThanOrEqual(256);
  });

  test("the bytes that a parser stumbled over are not told", () => {
    const error = Object.assign(fault("HPE_INVALID_CONSTANT", "Expected HTTP/"), { data: "secret" });
    expect(JSON.stringify(wireFault(error, "headers"))).not.toContain("secret");
  });
});

describe("an aborted signal", () => {
  test("says the denial that is its reason", () => {
    const denial = denialOf("run_deadline_exceeded");
    expect(denialOfSignal(AbortSignal.abort(denial))).toBe(denial);
  });

  test.each([
    [undefined],
    ["text"],
    [new Error("no denial")],
    [{ reason: "no_such_reason", stage: "policy", kind: "denial" }],
    [{ reason: "toString", stage: "policy", kind: "denial" }],
  ])("with the reason %s says that the guest does not want it any more", (reason) => {
    expect(denialOfSignal(AbortSignal.abort(reason)).reason).toBe("guest_cancelled");
  });
});
