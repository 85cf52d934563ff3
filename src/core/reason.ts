// The closed vocabulary of denials and failures. Append-only: codes are stored in audit logs and
// searched for in trace stores, so a code is never renamed, removed or given another stage.

/** Where in the life of a request it ended. */
export type Stage =
  | "validate"
  | "policy"
  | "address"
  | "dns"
  | "redirect"
  | "limit"
  | "size"
  | "timeout"
  | "tls"
  | "network"
  | "host"
  | "guest";

/** Who ended it: `denial` by us, `failure` of the transport or of the host, `cancel` by the guest's end. */
export type ReasonKind = "denial" | "failure" | "cancel";

interface ReasonEntry {
  readonly stage: Stage;
  readonly kind: ReasonKind;
  /** One sentence for the operator: lower-case start, no full stop. */
  readonly sentence: string;
}

function entry(stage: Stage, kind: ReasonKind, sentence: string): ReasonEntry {
  return { stage, kind, sentence };
}

/** Every reason with its ordinary stage, its kind and its meaning in words. */
export const reasonTable: Readonly<Record<Reason, ReasonEntry>> = {
  invalid_url: entry("validate", "denial", "the URL is not one that every parser reads alike"),
  credentials_in_url: entry("validate", "denial", "the URL carries a user name or password"),
  invalid_method: entry("validate", "denial", "the method is not an HTTP token"),
  invalid_header: entry("validate", "denial", "a header name or value has characters HTTP forbids"),
  request_headers_too_large: entry("validate", "denial", "the request has too many header bytes"),

  scheme_not_allowed: entry("policy", "denial", "no rule allows this scheme"),
  host_not_allowed: entry("policy", "denial", "no rule allows this host"),
  ip_literal_not_allowed: entry("policy", "denial", "no rule allows this IP address"),
  port_not_allowed: entry("policy", "denial", "no rule for this host allows this port"),
  method_not_allowed: entry("policy", "denial", "no rule for this destination allows this method"),
  path_not_allowed: entry("policy", "denial", "no rule for this destination allows this path"),
  header_not_allowed: entry("policy", "denial", "guests may not set this header"),
  rule_denied: entry("policy", "denial", "a deny rule matches"),
  policy_error: entry("policy", "denial", "the policy could not be evaluated"),

  address_forbidden: entry("address", "denial", "the address that this leads to is not granted"),

  dns_not_found: entry("dns", "failure", "the name does not exist"),
  dns_no_address: entry("dns", "failure", "the name has no address"),
  dns_timeout: entry("dns", "failure", "the name was not resolved in time"),
  dns_failed: entry("dns", "failure", "the name could not be resolved"),

  redirect_limit_exceeded: entry("redirect", "denial", "the redirects do not end"),
  redirect_scheme_downgrade: entry("redirect", "denial", "a redirect leads from https to http"),
  redirect_invalid_location: entry("redirect", "denial", "a redirect has no usable location"),

  rate_limited: entry("limit", "denial", "the guest asks too often"),
  concurrency_exceeded: entry("limit", "denial", "the guest has too many open responses"),
  request_budget_exhausted: entry("limit", "denial", "the guest has used up its requests"),
  byte_budget_exhausted: entry("limit", "denial", "the guest has used up its bytes"),

  request_body_too_large: entry("size", "denial", "the request body is too large"),
  response_headers_too_large: entry("size", "denial", "the response has too many header bytes"),
  response_body_too_large: entry("size", "denial", "the response body is too large"),

  connect_timeout: entry("timeout", "failure", "the server did not accept the connection in time"),
  tls_timeout: entry("timeout", "failure", "the TLS handshake did not end in time"),
  headers_timeout: entry("timeout", "failure", "the response headers did not come in time"),
  body_timeout: entry("timeout", "failure", "the response body stalled"),
  request_timeout: entry("timeout", "failure", "the request took longer than allowed"),
  run_deadline_exceeded: entry("timeout", "failure", "the guest ran longer than allowed"),

  tls_certificate_invalid: entry("tls", "failure", "the server's certificate is not trusted"),
  tls_hostname_mismatch: entry("tls", "failure", "the server's certificate is for another name"),
  tls_handshake_failed: entry("tls", "failure", "the TLS handshake failed"),

  connection_refused: entry("network", "failure", "the server refused the connection"),
  connection_reset: entry("network", "failure", "the connection was reset"),
  connection_closed: entry("network", "failure", "the server closed the connection too early"),
  network_unreachable: entry("network", "failure", "the address cannot be reached"),
  protocol_error: entry("network", "failure", "the server did not speak proper HTTP/1.1"),

  audit_unavailable: entry("host", "denial", "the request could not be recorded"),
  shutting_down: entry("host", "denial", "the sandbox is closing"),
  internal_error: entry("host", "failure", "the host itself failed"),

  guest_cancelled: entry("guest", "cancel", "the guest dropped the request"),
  guest_terminated: entry("guest", "cancel", "the guest ended before the request did"),
};

/** A code for a denial or failure. */
export type Reason =
  | "invalid_url"
  | "credentials_in_url"
  | "invalid_method"
  | "invalid_header"
  | "request_headers_too_large"
  | "scheme_not_allowed"
  | "host_not_allowed"
  | "ip_literal_not_allowed"
  | "port_not_allowed"
  | "method_not_allowed"
  | "path_not_allowed"
  | "header_not_allowed"
  | "rule_denied"
  | "policy_error"
  | "address_forbidden"
  | "dns_not_found"
  | "dns_no_address"
  | "dns_timeout"
  | "dns_failed"
  | "redirect_limit_exceeded"
  | "redirect_scheme_downgrade"
  | "redirect_invalid_location"
  | "rate_limited"
  | "concurrency_exceeded"
  | "request_budget_exhausted"
  | "byte_budget_exhausted"
  | "request_body_too_large"
  | "response_headers_too_large"
  | "response_body_too_large"
  | "connect_timeout"
  | "tls_timeout"
  | "headers_timeout"
  | "body_timeout"
  | "request_timeout"
  | "run_deadline_exceeded"
  | "tls_certificate_invalid"
  | "tls_hostname_mismatch"
  | "tls_handshake_failed"
  | "connection_refused"
  | "connection_reset"
  | "connection_closed"
  | "network_unreachable"
  | "protocol_error"
  | "audit_unavailable"
  | "shutting_down"
  | "internal_error"
  | "guest_cancelled"
  | "guest_terminated";

/** The class of an address that made it forbidden; `denied_by_rule` when a deny rule named its range. */
export type AddressRange =
  | "loopback"
  | "private"
  | "link_local"
  | "cloud_metadata"
  | "cgnat"
  | "unique_local"
  | "multicast"
  | "broadcast"
  | "unspecified"
  | "documentation"
  | "benchmarking"
  | "reserved"
  | "embedded_ipv4"
  | "self";
