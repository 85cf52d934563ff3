// What a 3xx response asks for next (RFC 9110 section 15.4), or why it must not be done. Pure.
// It must never decide whether the next hop is allowed: every hop goes through the whole gate again.

import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Destination } from "../url/destination.ts";
import { resolveLocation } from "../url/destination.ts";
import { denialOf } from "./denial.ts";
import type { Denial, HeaderField, HopRequest } from "./message.ts";
import { bodyLength } from "./request-stream.ts";

const followed: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

// What must not travel to another origin: it was meant for the first one (fetch standard, step "cross-origin").
const credentialHeaders: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"]);

// Headers that speak of a body; they go when the body goes (fetch standard, "request-body-header name").
const bodyHeaders: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
  "content-length",
  "digest",
  "last-modified",
]);

/**
 * The next hop of a response, `undefined` when the response is to be handed on as it is:
 * another status, or no `Location` at all.
 */
export function nextHop(
  hop: HopRequest,
  status: number,
  headers: readonly HeaderField[],
): Result<HopRequest, Denial> | undefined {
  if (!followed.has(status)) return undefined;
  const locations = headers.filter(([name]) => name === "location").map(([, value]) => value);
  const location = locations[0];
  if (location === undefined) return undefined;
  // Two different targets: whichever one is taken, somebody else reads the other.
  if (locations.some((other) => other !== location)) {
    return err(redirectDenial("redirect_invalid_location", "several different Location headers"));
  }
  const target = resolveLocation(hop.destination, location);
  if (!target.ok) {
    const { reason, detail } = target.error;
    return err(redirectDenial(reason === "invalid_url" ? "redirect_invalid_location" : reason, detail));
  }
  if (hop.destination.scheme === "https" && target.value.scheme === "http") {
    return err(redirectDenial("redirect_scheme_downgrade"));
  }
  const next = redirected(hop, status, target.value);
  if (bodyLength(next.body) === undefined) {
    const detail = "the redirect asks for the body again, and a streamed one is gone";
    return err(redirectDenial("redirect_invalid_location", detail));
  }
  return ok(next);
}

const targetStages: ReadonlySet<Denial["stage"]> = new Set(["validate", "policy", "address", "redirect"]);

/** Gives a denial of a redirect's target the stage `redirect`; the code stays the ordinary one. */
export function atRedirect(denial: Denial): Denial {
  return targetStages.has(denial.stage) ? { ...denial, stage: "redirect" } : denial;
}

function redirectDenial(reason: Denial["reason"], detail?: string): Denial {
  return atRedirect(denialOf(reason, detail));
}

function redirected(hop: HopRequest, status: number, destination: Destination): HopRequest {
  const becomesGet =
    (status === 303 && hop.method !== "GET" && hop.method !== "HEAD") ||
    ((status === 301 || status === 302) && hop.method === "POST");
  const crossOrigin = destination.origin !== hop.destination.origin;
  const headers = hop.headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (becomesGet && bodyHeaders.has(lower)) return false;
    return !(crossOrigin && credentialHeaders.has(lower));
  });
  return {
    method: becomesGet ? "GET" : hop.method,
    destination,
    headers,
    body: becomesGet ? undefined : hop.body,
  };
}
