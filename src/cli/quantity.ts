// Durations and sizes on the command line, in the units of the policy language. Refuses numbers without a unit:
// whether 5 means seconds or milliseconds is what two programs read differently.

/** A number in its base unit, or what is wrong with the text. */
export type Quantity =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly message: string; readonly remedy: string };

interface Units {
  readonly what: string;
  readonly factors: Readonly<Record<string, number>>;
  readonly example: string;
}

const durationUnits: Units = {
  what: "a duration",
  factors: { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  example: "500ms, 5s, 2m or 1h",
};

const sizeUnits: Units = {
  what: "a size",
  factors: { B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 },
  example: "512KiB, 64MiB or 1GiB",
};

/** `5s` as milliseconds. */
export function readDuration(text: string): Quantity {
  return readQuantity(text, durationUnits);
}

/** `64MiB` as bytes. */
export function readSize(text: string): Quantity {
  return readQuantity(text, sizeUnits);
}

function readQuantity(text: string, { what, factors, example }: Units): Quantity {
  const [, digits, unit = ""] = /^(0|[1-9]\d{0,14})([A-Za-z]*)$/.exec(text) ?? [];
  const factor = factors[unit];
  const value = Number(digits) * (factor ?? 1);
  if (digits !== undefined && factor !== undefined && Number.isSafeInteger(value)) return { ok: true, value };
  const names = Object.keys(factors);
  // `64mb`, `64M` and `5sec` mean one thing to everyone who writes them, and are refused with it.
  const word = unit.toLowerCase();
  const folded = names.find((name) => name.toLowerCase().replace("i", "") === word.replace("i", ""));
  const short = names.find((name) => name.length > 1 && name[0]?.toLowerCase() === word);
  const long = names.find((name) => word.startsWith(name.toLowerCase()));
  const guess = unit === "" ? undefined : (folded ?? short ?? long);
  return {
    ok: false,
    message: digits !== undefined && unit === "" ? `${text} has no unit` : `${text} is not ${what}`,
    remedy:
      digits !== undefined && guess !== undefined && guess !== unit
        ? `write ${digits}${guess}`
        : `write ${what} as ${example}`,
  };
}
