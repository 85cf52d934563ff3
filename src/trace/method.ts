// A request's method as spans tell it: registered ones by name, everything else as one word, so that no guest makes
// names of its own.

import { keys } from "./attributes.ts";
import type { RawAttributes } from "./guarded-span.ts";

// RFC 9110 section 9, RFC 5789 and the QUERY method: the list of the semantic conventions. Case counts (RFC 9110
// section 9.1), so `get` is not among them.
const registeredMethods: ReadonlySet<string> = new Set(
  "CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE".split(" "),
);

/** For span names. INVARIANT (no guest text in names): a method of the guest's making is `HTTP`. */
export function methodWord(method: string): string {
  return registeredMethods.has(method) ? method : "HTTP";
}

/** For attributes: `_OTHER` and the text itself, where the conventions know no such method. */
export function methodAttributes(method: string): RawAttributes {
  if (registeredMethods.has(method)) return { [keys.httpMethod]: method };
  return { [keys.httpMethod]: "_OTHER", [keys.httpMethodOriginal]: method };
}
