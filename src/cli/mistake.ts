// A user's mistake as a value: what is wrong, where, and what to write instead. Never a stack trace.

/** What is wrong and what to do about it; both start in lower case and hold no line break of their own. */
export interface Mistake {
  readonly message: string;
  readonly remedy?: string;
}

/** A value, or the mistakes that stand in its way. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Wraps a value. */
export function good<Value>(value: Value): Checked<Value> {
  return { ok: true, value };
}

/** Wraps one mistake. */
export function bad(
  message: string,
  remedy?: string,
): { readonly ok: false; readonly mistakes: readonly Mistake[] } {
  return { ok: false, mistakes: [remedy === undefined ? { message } : { message, remedy }] };
}

/** The text for standard error: one line for what is wrong, one indented line for what to do. */
export function formatMistakes(mistakes: readonly Mistake[]): string {
  return mistakes
    .map(({ message, remedy }) => `sallyport: ${message}\n${remedy === undefined ? "" : `  ${remedy}\n`}`)
    .join("");
}
