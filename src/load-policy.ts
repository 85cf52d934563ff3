// Policies from files, and a policy that can be replaced while guests run under it.
// A file that does not load must never disturb the policy that is in force.
import { readFile, stat } from "node:fs/promises";
import { bounds } from "./core/bounds.ts";
import { SallyportError } from "./core/sallyport-error.ts";
import type { PolicyProblem } from "./policy/document.ts";
import { formatProblem, parsePolicy } from "./policy/document.ts";
import type { Policy } from "./policy/policy.ts";

/** A policy that is in force until it is replaced; every request is judged by one whole generation of it. */
export interface LivePolicy {
  /** The policy in force. */
  readonly current: Policy;
  /** Counts the replacements, from 1. */
  readonly generation: number;
  /**
   * Puts `next` in force: requests that start from now on are judged by it.
   * @throws SallyportError `option_invalid` when it is no policy.
   */
  replace(next: Policy): void;
  /**
   * Reads a file and puts it in force. When the file has errors the old policy stays, and they are returned;
   * an empty list means that the new one is in force.
   */
  reload(file: string): Promise<readonly PolicyProblem[]>;
}

/** A policy that was read, or all that is wrong with its file. */
export interface PolicyReading {
  readonly policy?: Policy;
  readonly problems: readonly PolicyProblem[];
}

/**
 * Reads a policy file, YAML or JSON, of at most 32 MiB.
 * @throws SallyportError `policy_unreadable` when there is no such file, `policy_invalid` with every error in
 * its message when it is no policy.
 */
export async function loadPolicy(file: string): Promise<Policy> {
  const { policy, problems } = await readPolicy(file);
  if (policy !== undefined) return policy;
  const errors = problems.filter(({ severity }) => severity === "error");
  throw new SallyportError("policy_invalid", errors.map(formatProblem).join("\n"));
}

/**
 * Reads a policy file and returns its warnings as well, or every error with file, line and column.
 * @throws SallyportError `policy_unreadable` when there is no such file.
 */
export async function readPolicy(
  file: string,
  options: { readonly lint?: boolean } = {},
): Promise<PolicyReading> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > bounds.policyBytesMax) {
      throw new SallyportError(
        "policy_unreadable",
        `${file}: the file has ${String(size)} bytes; a policy has at most ${String(bounds.policyBytesMax)}`,
      );
    }
    // Bytes that are no UTF-8 would become other characters, and a deny rule with one would deny something else.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (fault) {
    if (fault instanceof SallyportError) throw fault;
    if (fault instanceof TypeError) {
      throw new SallyportError("policy_unreadable", `${file}: is not UTF-8 text; save it as UTF-8`, fault);
    }
    throw new SallyportError("policy_unreadable", `${file}: cannot be read (${codeOf(fault)})`, fault);
  }
  return parsePolicy(text, { file, ...options });
}

/** Makes a policy replaceable. */
export function livePolicy(policy: Policy): LivePolicy {
  let current = policy;
  let generation = 1;
  const replace = (next: Policy): void => {
    // A policy that is none must not come into force: every request of a running guest would fail on it.
    if (!isPolicy(next)) {
      throw new SallyportError("option_invalid", "replace: give what loadPolicy or parsePolicy returned");
    }
    current = next;
    generation += 1;
  };
  return {
    get current() {
      return current;
    },
    get generation() {
      return generation;
    },
    replace,
    async reload(file) {
      const reading = await readPolicy(file);
      if (reading.policy === undefined) return reading.problems;
      replace(reading.policy);
      return [];
    },
  };
}

/** Whether this is a policy that was read by us, as far as can be seen from outside. */
export function isPolicy(value: unknown): value is Policy {
  if (typeof value !== "object" || value === null) return false;
  return "canonical" in value && typeof value.canonical === "string" && "limits" in value && "rules" in value;
}

function codeOf(fault: unknown): string {
  return fault instanceof Error && "code" in fault ? String(fault.code) : String(fault);
}
