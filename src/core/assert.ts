// Checks for states that only a bug of ours can bring about. Never used on input: input gets a value.

/** Thrown when the program's own reasoning is broken. */
class AssertionFault extends Error {
  override readonly name = "AssertionFault";
}

/** Throws when `condition` does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFault(message);
}

/** Marks a branch that the types rule out. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable: ${String(value)}`);
}
