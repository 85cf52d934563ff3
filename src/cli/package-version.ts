// The version of the package that this program belongs to; the same relative place in a checkout and when built.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As `package.json` has it. */
export function packageVersion(): string {
  const described: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8"),
  );
  const known = typeof described === "object" && described !== null && "version" in described;
  return known ? String(described.version) : "unknown";
}
