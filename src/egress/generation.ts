// One policy generation as one run of a guest sees it: the policy, its limits, its connections.
// Holds no logic. Connections and limits of one generation are never used under another.
import type { Policy } from "../policy/policy.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { RunLimiter } from "./limiter.ts";

/** What the gate works with for one request; a policy that is replaced brings a new one. */
export interface Generation {
  readonly policy: Policy;
  /** SHA-256 of the policy's canonical text, in hexadecimal. */
  readonly policySha256: string;
  readonly limiter: RunLimiter;
  readonly pool: ConnectionPool;
}
