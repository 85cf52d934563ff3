// `policy schema`: prints the JSON Schema of the policy language. Adds nothing to it.
import { policySchema } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { exitStatus } from "./exit-status.ts";
import { formatMistakes } from "./mistake.ts";
import { printable, writeError, writeOutput } from "./terminal.ts";

/** Prints the schema; always good. */
export async function schemaCommand(args: Arguments): Promise<number> {
  const [extra] = args.positionals;
  if (extra !== undefined) {
    await writeError(
      formatMistakes([
        {
          message: `policy schema takes no file, but ${printable(extra)} was given`,
          remedy: "write: sallyport policy schema > policy.schema.json",
        },
      ]),
    );
    return exitStatus.cannotRun;
  }
  await writeOutput(`${JSON.stringify(policySchema, undefined, 2)}\n`);
  return exitStatus.good;
}
