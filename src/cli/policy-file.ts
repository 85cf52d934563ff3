// Reads a policy file for a command; its problems become text with file, line and column.
import type { Policy, PolicyProblem } from "../index.ts";
import { formatProblem, readPolicy, SallyportError } from "../index.ts";
import { faultInWords } from "./input-file.ts";
import type { Checked } from "./mistake.ts";
import { bad, good } from "./mistake.ts";
import { printable } from "./terminal.ts";

/** Reads a policy and its problems; a mistake only when there is no text to read. */
export async function readPolicyProblems(
  file: string,
  options: { readonly lint: boolean },
): Promise<Checked<{ readonly policy?: Policy; readonly problems: readonly PolicyProblem[] }>> {
  try {
    return good(await readPolicy(file, options));
  } catch (fault) {
    if (!(fault instanceof SallyportError)) throw fault;
    const why = fault.cause === undefined ? fault.message : faultInWords(fault.cause);
    return bad(`the policy ${printable(file)} cannot be read: ${why}`, "check the path");
  }
}

/** Reads a policy that is to be used: with errors in it there is none. */
export async function readPolicyFile(file: string): Promise<Checked<Policy>> {
  const read = await readPolicyProblems(file, { lint: false });
  if (!read.ok) return read;
  const { policy, problems } = read.value;
  if (policy !== undefined) return good(policy);
  const errors = problems.filter(({ severity }) => severity === "error").map(formatProblem);
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  return {
    ok: false,
    mistakes: [{ message: `the policy ${printable(file)} has ${count}:\n${errors.join("\n")}` }],
  };
}
