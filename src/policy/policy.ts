// The shapes of a policy after it was read: what decide, the gate and the records work with.
// Holds no logic, and nothing here knows how a policy file is written.

import type { Reason, Stage } from "../core/reason.ts";
import type { Destination, Scheme } from "../url/destination.ts";
import type { Cidr } from "../url/ip-address.ts";
import type { PolicyIndex } from "./policy-index.ts";

/** What a rule does to the requests that it matches. */
export type Effect = "allow" | "deny";

/** At most `count` requests in any window of `perMs` milliseconds, on average. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** Limits as a document wrote them; absent is the default, `0` is none. */
export interface Limits {
  readonly rate?: Rate;
  readonly burst?: number;
  readonly concurrent?: number;
  readonly requests?: number;
  readonly requestBodyBytes?: number;
  readonly responseBodyBytes?: number;
  readonly bytesOut?: number;
  readonly bytesIn?: number;
  readonly timeoutMs?: number;
}

/** Limits after the defaults were filled in. */
export type ResolvedLimits = Required<Limits>;

/** The host part of a pattern. */
export type HostPattern =
  | { readonly kind: "exact"; readonly name: string }
  | { readonly kind: "ip"; readonly text: string }
  | { readonly kind: "one_label"; readonly suffix: string }
  | { readonly kind: "labels"; readonly suffix: string }
  | { readonly kind: "any_name" }
  | { readonly kind: "cidr"; readonly cidr: Cidr };

/** The `scheme://host:port` part of a rule. */
export type Pattern =
  | { readonly kind: "everything"; readonly text: string }
  | {
      readonly kind: "destination";
      readonly text: string;
      readonly scheme: Scheme;
      readonly host: HostPattern;
      readonly portFirst: number;
      readonly portLast: number;
    };

/** One segment of a path pattern: a literal, any one segment, or any rest. */
export type PathSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

/** One entry of a rule's `paths`. */
export interface PathPattern {
  readonly text: string;
  readonly segments: readonly PathSegment[];
}

/** Special-purpose addresses that a rule may reach, or, in a deny rule, must not lead to. */
export type AddressGrant =
  | { readonly kind: "cidr"; readonly cidr: Cidr }
  | { readonly kind: "name"; readonly name: AddressGrantName };

/** The ranges that have a name in the policy language. */
export type AddressGrantName = "loopback" | "private" | "link_local" | "unique_local" | "cgnat";

/** What to do with a 3xx response. */
export type RedirectChoice = "follow" | "return";

/** One entry of a policy. */
export interface Rule {
  readonly id: string;
  readonly effect: Effect;
  readonly to: readonly Pattern[];
  /** Each once. */
  readonly methods?: readonly string[];
  readonly paths?: readonly PathPattern[];
  readonly addresses: readonly AddressGrant[];
  readonly limits: Limits;
  readonly redirects?: RedirectChoice;
  readonly traceparent: boolean;
  /** Where the rule stands in its file, counted from 1. */
  readonly place: { readonly line: number; readonly column: number };
}

/** A policy in force: read, checked and indexed. Frozen; a reload makes a new one. */
export interface Policy {
  /** What the document calls itself, or the file's base name. */
  readonly name: string;
  /** `report`: what the rules deny goes through and is recorded as `would_deny`. */
  readonly mode: "enforce" | "report";
  /** Sorted by id; the order has no meaning. */
  readonly rules: readonly Rule[];
  /** Of the guest as a whole, after defaults. */
  readonly limits: ResolvedLimits;
  /** Whether some allow rule says `insecure:allow-all`: worth a warning at every start. */
  readonly allowsEverything: boolean;
  /** The file it was read from, as it was given. */
  readonly file?: string;
  /** What it says in one text for hashing: equal for every spelling and order of the same rules. */
  readonly canonical: string;
  /** For decide alone. */
  readonly index: PolicyIndex;
}

/** What is judged: the destination is the one that is sent to. */
export interface PolicyRequest {
  readonly method: string;
  readonly destination: Destination;
}

/** Which addresses a destination may lead to. */
export interface AddressPolicy {
  /** Equal keys if and only if addresses are treated equally; connections are pooled by it. */
  readonly key: string;
  /** Every address is granted, even those that are always refused otherwise. */
  readonly everything: boolean;
  /** Special-purpose addresses that may be reached; public ones need no grant. */
  readonly grants: readonly AddressGrant[];
  /** Ranges that a deny rule forbids; they beat every grant. Sorted by rule id. */
  readonly denied: readonly DeniedAddresses[];
}

/** The ranges of one deny rule. */
export interface DeniedAddresses {
  readonly rule: Rule;
  readonly grants: readonly AddressGrant[];
}

/** What a policy says about a request: always with a rule or a reason. */
export type Decision =
  | {
      readonly effect: "allow";
      /** The most specific of the allow rules that match; settings come from it and records name it. */
      readonly rule: Rule;
      /** The union over all allow rules that match. */
      readonly grants: AddressPolicy;
      /** The rule's own; the guest's hold besides. */
      readonly limits: ResolvedLimits;
      readonly redirects?: RedirectChoice;
      readonly traceparent: boolean;
    }
  | {
      readonly effect: "deny";
      readonly reason: Reason;
      readonly stage: Stage;
      /** The deny rule, with `rule_denied`. */
      readonly rule?: Rule;
      /** What holds for addresses when `mode: report` lets the request go on. */
      readonly grants: AddressPolicy;
      /** Denied in `mode: report` too: methods that no policy allows, and failures of the evaluation itself. */
      readonly evenInReportMode: boolean;
    };
