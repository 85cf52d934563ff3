// What to write so that a refused request passes, or the plain word that nothing should be written.
// It must never advise what would open more than the one request: no wildcards, no insecure:allow-all.
import type { AddressPolicy, AddressRange, Reason, RequestSummary } from "../index.ts";
import { parseIp, vetAddresses } from "../index.ts";

/** Where the rules in force come from. */
export type PolicySource =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "allowed-hosts" }
  | { readonly kind: "none" };

/** What was asked and why it was refused; URLs are redacted. */
export type Refusal = Pick<
  RequestSummary,
  "method" | "url" | "stage" | "rule" | "range" | "address" | "deniedUrl" | "limit"
> & {
  readonly reason: Reason;
};

/** One line of advice, or nothing where there is nothing that a policy or an option could change. */
export function adviceFor(refusal: Refusal, source: PolicySource): string | undefined {
  // The URL on record is the one that the guest asked for; what was refused is where the server pointed to.
  // A redirect without a target that could be read: there is nothing that the guest or a policy could change.
  if (refusal.stage === "redirect" && refusal.deniedUrl === undefined) {
    return "the server points to where no policy can allow a guest to go";
  }
  return advice[refusal.reason]?.({ ...refusal, url: refusal.deniedUrl ?? refusal.url }, source);
}

type Adviser = (refusal: Refusal, source: PolicySource) => string | undefined;

const never =
  (guestShould: string): Adviser =>
  () =>
    `no policy can allow it: ${guestShould}`;

const limit =
  (key: string): Adviser =>
  ({ rule, limit: met }, source) => {
    if (source.kind !== "file") return `a policy file (-p) can set \`limits: { ${key} }\``;
    if (met?.name.startsWith("guest.")) return `raise \`limits: { ${key} }\` of the policy as a whole`;
    if (met?.name.startsWith("rule.") && rule !== undefined)
      return `raise \`limits: { ${key} }\` of rule ${rule}`;
    return `raise \`limits: { ${key} }\` of ${rule === undefined ? "the policy" : `rule ${rule}, or of the policy`}`;
  };

const advice: Readonly<Partial<Record<Reason, Adviser>>> = {
  invalid_url: never("the guest has to write the URL as http(s)://host/path in plain characters"),
  credentials_in_url: never("the guest has to send an authorization header instead"),
  invalid_method: never("the guest has to send a method of letters, as GET"),
  invalid_header: never("the guest has to send header names and values that HTTP knows"),
  request_headers_too_large: never("the guest has to send fewer header bytes"),
  header_not_allowed: never("the host writes this header itself, or nobody may"),
  scheme_not_allowed: allowDestination,
  host_not_allowed: allowDestination,
  ip_literal_not_allowed: allowDestination,
  port_not_allowed: allowDestination,
  method_not_allowed: ({ method, url }, source) => {
    if (/^(CONNECT|TRACE|TRACK)$/.test(method)) return `no policy can allow ${method}`;
    return source.kind === "file"
      ? `add ${method} to the \`methods\` of a rule for ${originOf(url) ?? url}`
      : undefined;
  },
  path_not_allowed: ({ url }) => `add the path to the \`paths\` of a rule for ${originOf(url) ?? url}`,
  rule_denied: ({ rule }) => `deny beats allow: only a change of rule ${rule ?? "that denies"} lets it pass`,
  address_forbidden: allowAddress,
  dns_not_found: (refusal) => `check the name, or answer for it: --resolve ${hostOf(refusal.url)}=IP`,
  dns_no_address: (refusal) => `answer for the name: --resolve ${hostOf(refusal.url)}=IP`,
  redirect_scheme_downgrade: never("a redirect may not leave https"),
  rate_limited: limit("rate, burst"),
  concurrency_exceeded: (refusal, source) =>
    source.kind === "file" && refusal.limit?.name !== "run.concurrent"
      ? limit("concurrent")(refusal, source)
      : "the guest has to close responses, or -c N allows more",
  request_budget_exhausted: limit("requests"),
  byte_budget_exhausted: limit("bytesOut, bytesIn"),
  request_body_too_large: limit("requestBody"),
  response_body_too_large: limit("responseBody"),
  request_timeout: limit("timeout"),
  run_deadline_exceeded: () => "give the run more time: --timeout DURATION",
  tls_certificate_invalid: () =>
    "trust a private authority with --ca FILE; there is no way to skip the check",
  audit_unavailable: () => "make the audit folder writable: a request that cannot be recorded is not made",
};

function allowDestination({ url }: Refusal, source: PolicySource): string | undefined {
  const origin = originOf(url);
  if (origin === undefined) return "no policy can allow it: guests reach http and https only";
  const range = literalRange(hostOf(url));
  if (range === "embedded_ipv4") return hiddenAddress;
  const how =
    source.kind === "file"
      ? `add a rule with \`to: ${yamlText(origin)}\` to ${source.file}`
      : `-a ${shellText(origin)}`;
  return range === "cloud_metadata" ? `${metadataWarning}: ${how}` : how;
}

const metadataWarning = "this address hands out the machine's own credentials; if the guest is to have them";
const hiddenAddress =
  "no rule can grant an address with another one hidden in it; use the IPv4 address itself";

const nothingGranted: AddressPolicy = { key: "", everything: false, grants: [], denied: [] };

// The class of an IP literal, when it is one that a pattern should not be written for without a thought.
function literalRange(host: string): AddressRange | "denied_by_rule" | undefined {
  const ip = parseIp(host.replace(/^\[|\]$/g, ""));
  const vetted = ip === undefined ? undefined : vetAddresses(nothingGranted, [ip]);
  return vetted?.ok === false ? vetted.range : undefined;
}

function allowAddress(refusal: Refusal, source: PolicySource): string | undefined {
  const { range, address = "", rule } = refusal;
  // Grants belong to rules: where none matched, there is none to write them on.
  if (rule === undefined && source.kind === "allowed-hosts") {
    return `${allowDestination(refusal, source) ?? "-a PATTERN"}, and grant the address with --allow-address`;
  }
  const grant = (what: string): string =>
    source.kind === "file"
      ? `write \`addresses: [${yamlText(what)}]\` on ${rule === undefined ? "the rule that is to allow it" : `rule ${rule}`} in ${source.file}`
      : `--allow-address ${what}`;
  const exact = `${address}/${address.includes(":") ? 128 : 32}`;
  switch (range) {
    case "loopback":
    case "private":
    case "link_local":
    case "unique_local":
    case "cgnat":
      return grant(range);
    case "cloud_metadata":
      return `${metadataWarning}: ${grant(exact)}`;
    case "self":
      return `this is an address of this very machine; if the guest may reach it: ${grant(exact)}`;
    case "embedded_ipv4":
      return hiddenAddress;
    case "denied_by_rule":
      return `deny rule ${rule ?? ""} lists this address in its \`addresses\`: only a change of that rule lets it pass`;
    case undefined:
      return undefined;
    default:
      return `no honest name leads to such an address; if yours does: ${grant(exact)}`;
  }
}

// Redacted URLs are the canonical ones, so their front part can be told without a parser.
function originOf(url: string): string | undefined {
  return /^https?:\/\/[^/?#\s]+/.exec(url)?.[0];
}

function hostOf(url: string): string {
  return /^https?:\/\/([^/?#\s]+?)(:\d+)?(?:[/?#]|$)/.exec(url)?.[1] ?? "NAME";
}

// A colon within a flow list, and brackets anywhere, mean something else to YAML.
function yamlText(text: string): string {
  return /^[a-z0-9_./-]+$/i.test(text) || /^https?:\/\/[a-z0-9.:-]+$/i.test(text)
    ? text
    : JSON.stringify(text);
}

function shellText(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text}'`;
}
