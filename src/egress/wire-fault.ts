// Says in our closed vocabulary what went wrong on the wire. Total: every error of Node, OpenSSL and undici has a reason.
// It must never show a byte of the request or of a response: error texts are bounded and made printable.

import type { Reason } from "../core/reason.ts";
import { denialOf } from "./denial.ts";
import type { Denial } from "./message.ts";

/** How far an exchange had come when it failed: one error code means different things at different steps. */
export type WireStep = "dns" | "connect" | "tls" | "certificate" | "headers" | "body";

/** The code of the error that a connection gives when a second socket is asked of it. */
export const spentConnectionCode = "ERR_CONNECTION_SPENT";
/** The code of the error for a request that was changed on its way to the socket. */
export const changedRequestCode = "ERR_REQUEST_CHANGED";
/** The code of the error for an extra certificate authority that cannot be read. */
export const invalidAuthorityCode = "ERR_AUTHORITY_INVALID";

/** Turns an error into a denial. `error` may be anything that was thrown or emitted. */
export function wireFault(error: unknown, step: WireStep): Denial {
  const code = codeOf(error);
  return denialOf(reasonFor(code, messageOf(error), step), describe(code, messageOf(error)));
}

function reasonFor(code: string, message: string, step: WireStep): Reason {
  // Our own trouble, at whatever step: no file descriptors, no memory, or a request that undici would not take.
  if (hostCodes.has(code)) return "internal_error";
  switch (step) {
    case "dns":
      return dnsReasons[code] ?? "dns_failed";
    case "connect":
      return connectReasons[code] ?? "network_unreachable";
    case "certificate":
      return code === "ERR_TLS_CERT_ALTNAME_INVALID" ? "tls_hostname_mismatch" : "tls_certificate_invalid";
    case "tls":
      return "tls_handshake_failed";
    case "headers":
      // TLS 1.3 servers refuse a client after its side of the handshake is done (RFC 8446 section 4.6.2).
      if (code.startsWith("ERR_SSL_")) return "tls_handshake_failed";
      return exchangeReason(code, message);
    case "body":
      // Of a body that ended early undici says "length mismatch", and llhttp "invalid EOF state". Before the headers are
      // complete the former stands for bad framing, since undici looks at the length first.
      if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return "connection_closed";
      // By its text, since undici 8.12.4 looks its code up in a table that has no numbers and finds none.
      if (message.includes("(Invalid EOF state)")) return "connection_closed";
      return exchangeReason(code, message);
  }
}

function exchangeReason(code: string, message: string): Reason {
  if (code === "UND_ERR_SOCKET") {
    return misbehaviours.has(message) ? "protocol_error" : "connection_closed";
  }
  return exchangeReasons[code] ?? "protocol_error";
}

const hostCodes: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "ERR_ACCESS_DENIED",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
  changedRequestCode,
  invalidAuthorityCode,
]);

const dnsReasons: Readonly<Record<string, Reason>> = {
  ENOTFOUND: "dns_not_found",
  ENODATA: "dns_no_address",
  ETIMEOUT: "dns_timeout",
  ETIMEDOUT: "dns_timeout",
};

const connectReasons: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: "connection_refused",
  ECONNRESET: "connection_reset",
  ECONNABORTED: "connection_reset",
  ETIMEDOUT: "connect_timeout",
};

const exchangeReasons: Readonly<Record<string, Reason>> = {
  ECONNRESET: "connection_reset",
  ECONNABORTED: "connection_reset",
  EPIPE: "connection_reset",
  ETIMEDOUT: "connection_reset",
  ENETDOWN: "network_unreachable",
  ENETUNREACH: "network_unreachable",
  EHOSTDOWN: "network_unreachable",
  EHOSTUNREACH: "network_unreachable",
  ERR_STREAM_DESTROYED: "connection_closed",
  ERR_STREAM_PREMATURE_CLOSE: "connection_closed",
  UND_ERR_CLOSED: "connection_closed",
  UND_ERR_DESTROYED: "connection_closed",
  UND_ERR_INFO: "connection_closed",
  UND_ERR_HEADERS_OVERFLOW: "response_headers_too_large",
  [spentConnectionCode]: "connection_closed",
};

// What undici writes into a socket error when the server, and not the network, was at fault.
const misbehaviours: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

function describe(code: string, message: string): string {
  return code === "" || message.includes(code) ? message : `${code}: ${message}`;
}
