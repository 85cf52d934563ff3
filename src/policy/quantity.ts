// Reads sizes, durations, rates and counts. A number without its unit is refused: `timeout: 5` is five seconds to one reader
// and five milliseconds to another. `0` needs no unit.

import { err, ok, type Result } from "../core/result.ts";
import type { Rate } from "./policy.ts";
import { type Finding, shown } from "./problem.ts";

/** A scalar as it was written: whether it was a number to YAML, and its text. */
export interface WrittenScalar {
  readonly isNumber: boolean;
  readonly text: string;
}

const sizeUnits: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const rateUnits: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 };

// What people write instead, in lower case.
const sizeSpellings: Readonly<Record<string, string>> = {
  b: "B",
  byte: "B",
  bytes: "B",
  k: "KiB",
  kb: "KiB",
  kib: "KiB",
  ki: "KiB",
  m: "MiB",
  mb: "MiB",
  mib: "MiB",
  mi: "MiB",
  g: "GiB",
  gb: "GiB",
  gib: "GiB",
  gi: "GiB",
};
const durationSpellings: Readonly<Record<string, string>> = {
  ms: "ms",
  msec: "ms",
  millis: "ms",
  millisecond: "ms",
  milliseconds: "ms",
  s: "s",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  m: "m",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  h: "h",
  hr: "h",
  hrs: "h",
  hour: "h",
  hours: "h",
};
const rateSpellings: Readonly<Record<string, string>> = {
  s: "s",
  sec: "s",
  second: "s",
  seconds: "s",
  m: "min",
  min: "min",
  minute: "min",
  minutes: "min",
  h: "h",
  hr: "h",
  hour: "h",
  hours: "h",
};

/** Bytes. */
export function parseSize(scalar: WrittenScalar): Result<number, Finding> {
  return parseQuantity(
    scalar,
    sizeUnits,
    sizeSpellings,
    "a size is a whole number with `B`, `KiB`, `MiB` or `GiB`",
    "64KiB",
  );
}

/** Milliseconds. */
export function parseDuration(scalar: WrittenScalar): Result<number, Finding> {
  return parseQuantity(
    scalar,
    durationUnits,
    durationSpellings,
    "a duration is a whole number with `ms`, `s`, `m` or `h`",
    "5s",
  );
}

/** Requests in a time. */
export function parseRate({ isNumber, text }: WrittenScalar): Result<Rate, Finding> {
  if (isNumber && text === "0") return ok({ count: 0, perMs: 1_000 });
  const match = /^(0|[1-9][0-9]*)\/(s|min|h)$/.exec(text);
  const count = Number(match?.[1]);
  const perMs = rateUnits[match?.[2] ?? ""];
  if (perMs !== undefined && Number.isSafeInteger(count)) return ok({ count, perMs });
  const rule = "a rate is a whole number with `/s`, `/min` or `/h`";
  if (/^[1-9][0-9]*$/.test(text))
    return invalid(`${shown(text)} says not in which time; ${rule}`, `${text}/s, ${text}/min or ${text}/h`);
  if (text === "0") return invalid(`${shown(text)} in quotation marks is a text`, "0");
  return invalid(`${shown(text)} is not a rate; ${rule}`, guessRate(text));
}

/** A whole number. */
export function parseCount({ isNumber, text }: WrittenScalar): Result<number, Finding> {
  const value = Number(text);
  // `010`, `0x10`, `1e3` and `8.0` are numbers to YAML, and not the same ones to every reader.
  if (isNumber && /^(?:0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(value)) return ok(value);
  const digits = /^[0-9]+(?:\.0*)?$/.test(text.trim()) ? String(Math.trunc(Number(text))) : "8";
  return invalid(`${shown(text)} is not a plain whole number`, digits);
}

function parseQuantity(
  { isNumber, text }: WrittenScalar,
  units: Readonly<Record<string, number>>,
  spellings: Readonly<Record<string, string>>,
  rule: string,
  example: string,
): Result<number, Finding> {
  if (isNumber && text === "0") return ok(0);
  const match = /^(0|[1-9][0-9]*)([A-Za-z]+)$/.exec(text);
  const unit = Object.hasOwn(units, match?.[2] ?? "") ? units[match?.[2] ?? ""] : undefined;
  const value = Number(match?.[1]) * (unit ?? Number.NaN);
  if (Number.isSafeInteger(value)) return ok(value);
  if (text === "0") return invalid(`${shown(text)} in quotation marks is a text`, "0");
  if (/^[0-9]+$/.test(text)) {
    const digits = text.replace(/^0+(?=.)/, "");
    const remedies = Object.keys(units).map((name) => `${digits}${name}`);
    return invalid(
      `${shown(text)} has no unit; ${rule}`,
      `${remedies.slice(0, -1).join(", ")} or ${remedies.at(-1)}`,
    );
  }
  return invalid(
    `${shown(text)} is not understood; ${rule}`,
    guessQuantity(text, units, spellings) ?? example,
  );
}

function guessQuantity(
  text: string,
  units: Readonly<Record<string, number>>,
  spellings: Readonly<Record<string, string>>,
): string | undefined {
  const match = /^\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*$/.exec(text);
  const word = (match?.[2] ?? "").toLowerCase();
  const unit = Object.hasOwn(spellings, word) ? spellings[word] : undefined;
  if (unit === undefined) return undefined;
  const amount = Number((match?.[1] ?? "").replace(/[_,]/g, ""));
  const base = amount * (units[unit] ?? 1);
  if (!Number.isSafeInteger(base)) return undefined;
  // `1.5MiB` has a whole number of KiB: the largest unit that leaves no fraction.
  const whole = Object.entries(units).findLast(
    ([, factor]) => factor <= (units[unit] ?? 1) && base % factor === 0,
  );
  return whole === undefined ? undefined : `${base / whole[1]}${whole[0]}`;
}

function guessRate(text: string): string {
  const match = /^\s*([0-9]+)\s*(?:\/|p|per|rp| per |req\/|requests?\/)\s*([a-z]+)\s*$/i.exec(text);
  const word = (match?.[2] ?? "").toLowerCase();
  const unit = Object.hasOwn(rateSpellings, word) ? rateSpellings[word] : undefined;
  return unit === undefined ? "60/min" : `${Number(match?.[1])}/${unit}`;
}

function invalid(message: string, remedy: string): { readonly ok: false; readonly error: Finding } {
  return err({ code: "invalid_limit", message, remedy });
}
