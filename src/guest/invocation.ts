// Which exports of a module a run calls, with which values; and what came back, as text. All checked on the host,
// before a guest's thread is touched. Never wraps or rounds an integer that does not fit.
import { bounds } from "../core/bounds.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { FunctionType, ValueType } from "./module-form.ts";
import type { ModuleProblem, PreparedModule } from "./prepare-module.ts";

/** A value that passes in and out of a guest's function. */
export type NumberValue = number | bigint;

/** What to call, in this order; each export exists and takes what is given. */
export interface Invocation {
  /** The start section in its new form, then `_initialize`: what makes the instance ready. */
  readonly before: readonly string[];
  readonly main: { readonly name: string; readonly values: readonly NumberValue[] } | undefined;
  /** The types of what `main` returns. */
  readonly results: readonly ValueType[];
}

/** The entry of a command (WASI preview 1); it gets its arguments as argv and returns nothing. */
const commandEntry = "_start";
const reactorEntry = "_initialize";

/**
 * Plans a run. `invoke` is `_start` for a command; where there is none, a reactor is only initialised, and a module
 * with a start section only started. Any other export is called with `args`, converted by its types.
 */
export function planInvocation(
  { functions, startExport }: Pick<PreparedModule, "functions" | "startExport">,
  invoke: string,
  args: readonly string[],
): Result<Invocation, ModuleProblem> {
  const before: string[] = startExport === undefined ? [] : [startExport];
  if (functions.has(reactorEntry)) {
    const fault = emptyTypeFault(functions, reactorEntry);
    if (fault !== undefined) return err(fault);
    // A caller that asks for it by name gets one call, not two.
    if (invoke !== reactorEntry) before.push(reactorEntry);
  }
  const type = functions.get(invoke);
  if (type === undefined) {
    const idle: Invocation = { before, main: undefined, results: [] };
    return invoke === commandEntry && before.length > 0 ? ok(idle) : err(missingExport(functions, invoke));
  }
  if (invoke === commandEntry) {
    const fault = emptyTypeFault(functions, commandEntry);
    return fault === undefined ? ok({ before, main: { name: invoke, values: [] }, results: [] }) : err(fault);
  }
  const values = convertArguments(invoke, type, args);
  return values.ok
    ? ok({ before, main: { name: invoke, values: values.value }, results: type.results })
    : values;
}

function missingExport(functions: ReadonlyMap<string, FunctionType>, invoke: string): ModuleProblem {
  const names = [...functions.keys()].filter((name) => name !== reactorEntry);
  const shown = names.slice(0, 20).map((name) => name.slice(0, 64));
  const list = `${shown.join(", ")}${names.length > shown.length ? ", ..." : ""}`;
  return {
    message: `the module exports no function ${JSON.stringify(invoke)}`,
    remedy:
      names.length === 0 ? "export a function from the guest" : `invoke one of those it exports: ${list}`,
  };
}

function emptyTypeFault(
  functions: ReadonlyMap<string, FunctionType>,
  name: string,
): ModuleProblem | undefined {
  const type = functions.get(name);
  if (type === undefined || (type.params.length === 0 && type.results.length === 0)) return undefined;
  return {
    message: `the module's ${name} takes or returns something, and in WASI it does neither`,
    remedy: "export the function under another name, and invoke that",
  };
}

function convertArguments(
  invoke: string,
  { params, results }: FunctionType,
  args: readonly string[],
): Result<readonly NumberValue[], ModuleProblem> {
  const name = JSON.stringify(invoke.slice(0, 64));
  const odd = [...params, ...results].find((type) => !isNumeric(type));
  if (odd !== undefined) {
    return err({
      message: `${name} takes or returns a ${odd}, which cannot be written as text`,
      remedy: "invoke a function of numbers only",
    });
  }
  if (args.length !== params.length) {
    return err({
      message: `${name} takes ${params.length} arguments (${params.join(", ")}), and ${args.length} were given`,
      remedy: "give one argument for each parameter",
    });
  }
  const values: NumberValue[] = [];
  for (const [index, type] of params.entries()) {
    const text = args[index] ?? "";
    const value = type === "f32" || type === "f64" ? parseFloating(text, type) : parseInteger(text, type);
    if (value === undefined) {
      return err({
        message: `argument ${index + 1} of ${name} is ${JSON.stringify(text.slice(0, 64))}, which is no ${type}`,
        remedy: `write ${formOf(type)}`,
      });
    }
    values.push(value);
  }
  return ok(values);
}

function isNumeric(type: ValueType): boolean {
  return type === "i32" || type === "i64" || type === "f32" || type === "f64";
}

function formOf(type: ValueType): string {
  if (type === "i32") return "a whole number from -2147483648 to 4294967295";
  if (type === "i64") return "a whole number from -9223372036854775808 to 18446744073709551615";
  return type === "f32" ? "a number up to 3.4e38, inf or nan" : "a number up to 1.7e308, inf or nan";
}

// Signed or unsigned, as the guest's language has it: the bits are the same.
function parseInteger(text: string, type: ValueType): NumberValue | undefined {
  if (text.length > 64 || !/^(?:[+-]?[0-9]+|0x[0-9a-fA-F]+)$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  const bits = type === "i32" ? 32n : 64n;
  if (value < -(1n << (bits - 1n)) || value >= 1n << bits) return undefined;
  return type === "i32" ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value);
}

function parseFloating(text: string, type: ValueType): number | undefined {
  const word = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (word !== null) {
    const size = word[2] === undefined ? Number.NaN : Number.POSITIVE_INFINITY;
    return word[1] === "-" ? -size : size;
  }
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return undefined;
  const value = type === "f32" ? Math.fround(Number(text)) : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Results as text: integers signed and in decimal, floating-point numbers by the shortest decimal that means the
 * same number in their own width, never with an exponent. Undefined when the values are not of these types.
 */
export function resultTexts(
  types: readonly ValueType[],
  values: readonly unknown[],
): readonly string[] | undefined {
  if (values.length !== types.length) return undefined;
  const texts: string[] = [];
  for (const [index, type] of types.entries()) {
    const value = values[index];
    if (type === "i64" ? typeof value !== "bigint" : typeof value !== "number") return undefined;
    if (typeof value === "bigint") texts.push(BigInt.asIntN(64, value).toString());
    else if (typeof value === "number")
      texts.push(type === "i32" ? String(value | 0) : floatText(value, type));
  }
  return texts;
}

function floatText(value: number, type: ValueType): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  return withoutExponent(type === "f32" ? shortestFloat32(value) : String(value));
}

// A 32-bit number is known by nine digits (IEEE 754); printed as a 64-bit one, 0.3 would have seventeen.
function shortestFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

function withoutExponent(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${"0".repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A trap's message as it is told: bounded, and with the one plain name that the engine does not use. */
export function trapText(message: string): string {
  const text = message.slice(0, bounds.trapMessageLengthMax);
  return text === "Maximum call stack size exceeded" ? `stack overflow: ${text}` : text;
}
