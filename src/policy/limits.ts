// The defaults of every limit, and how what a document writes becomes what is enforced. Every limit is finite, and `0` is none.

import type { Limits, Rate, ResolvedLimits, Rule } from "./policy.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

/**
 * What a guest as a whole gets where its policy is silent: generous, so that a limit which stops an honest guest is one that
 * somebody wrote, and finite, so that a runaway guest ends.
 */
export const guestLimitDefaults: ResolvedLimits = Object.freeze({
  rate: Object.freeze({ count: 10_000, perMs: 1_000 }),
  burst: 10_000,
  concurrent: 128,
  requests: 1_000_000,
  requestBodyBytes: 64 * mebibyte,
  responseBodyBytes: gibibyte,
  bytesOut: 4 * gibibyte,
  bytesIn: 16 * gibibyte,
  timeoutMs: 30_000,
});

/** What a rule gets where it is silent: the same, since a rule is never wider than its guest. */
export const ruleLimitDefaults: ResolvedLimits = guestLimitDefaults;

/**
 * Fills in defaults. A rate without a burst gets a burst of its own count: `60/min` lets sixty requests go at
 * once, which is what it says, and not one a second.
 */
export function resolveLimits(written: Limits, defaults: ResolvedLimits): ResolvedLimits {
  const burst = written.burst ?? written.rate?.count;
  return Object.freeze({ ...defaults, ...written, ...(burst === undefined ? {} : { burst }) });
}

/**
 * The limits of a guest as a whole. A default never cuts what a rule asks for in so many words: where the document
 * is silent about the guest, the widest limit that an allow rule writes raises the default.
 */
export function resolveGuestLimits(written: Limits, rules: readonly Rule[]): ResolvedLimits {
  const allowed = rules.filter((rule) => rule.effect === "allow").map((rule) => rule.limits);
  return resolveLimits(written, allowed.reduce(widen, guestLimitDefaults));
}

/** Whether `a` lets requests go faster than `b`. */
export function isFaster(a: Rate, b: Rate): boolean {
  return a.count * b.perMs > b.count * a.perMs;
}

function widen(defaults: ResolvedLimits, rule: Limits): ResolvedLimits {
  const own = resolveLimits(rule, guestLimitDefaults);
  const widest = (key: Exclude<keyof Limits, "rate">): number => Math.max(defaults[key], rule[key] ?? 0);
  return {
    rate: isFaster(own.rate, defaults.rate) ? own.rate : defaults.rate,
    burst: Math.max(defaults.burst, own.burst),
    concurrent: widest("concurrent"),
    requests: widest("requests"),
    requestBodyBytes: widest("requestBodyBytes"),
    responseBodyBytes: widest("responseBodyBytes"),
    bytesOut: widest("bytesOut"),
    bytesIn: widest("bytesIn"),
    timeoutMs: widest("timeoutMs"),
  };
}
