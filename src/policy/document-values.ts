// Reads the values of a document one kind at a time and reports what does not fit. A reader that returns `undefined` has
// reported why, or stands on something that was reported already.

import type { Result } from "../core/result.ts";
import { type KeyPlace, languageKeys, unknownKey } from "./document-keys.ts";
import type { Limits } from "./policy.ts";
import { type Finding, type Place, type ProblemList, shown } from "./problem.ts";
import { parseCount, parseDuration, parseRate, parseSize, type WrittenScalar } from "./quantity.ts";
import type { SourceEntry, SourceNode } from "./source.ts";
import { nearestWord, wordList } from "./spelling.ts";

/** The entries of a map by key, without those that the language does not have. */
export type Fields = ReadonlyMap<string, SourceEntry>;

/** Reads a map whose keys are those of the language at `place`. */
export function readFields(node: SourceNode, place: KeyPlace, problems: ProblemList): Fields | undefined {
  if (node.kind !== "map") {
    const example = { document: "version: 1", rule: "- id: forecast", limits: "limits: { rate: 60/min }" }[
      place
    ];
    wrongType(node, "a map with keys", example, problems);
    return undefined;
  }
  const fields = new Map<string, SourceEntry>();
  for (const entry of node.entries) {
    if (languageKeys[place].includes(entry.key)) fields.set(entry.key, entry);
    else if (entry.key !== "<<") problems.error(entry.place, unknownKey(entry.key, place), entry.key);
  }
  return fields;
}

/** Reads a text. Numbers and booleans are not taken for the text that they look like. */
export function readText(node: SourceNode, what: string, problems: ProblemList): string | undefined {
  if (node.kind === "text") return node.text;
  const isScalar = node.kind === "number" || node.kind === "boolean";
  wrongType(node, what, isScalar ? `"${node.text}"` : what, problems);
  return undefined;
}

/** Reads one of a few words. */
export function readWord<Word extends string>(
  entry: SourceEntry | undefined,
  words: readonly Word[],
  problems: ProblemList,
): Word | undefined {
  if (entry === undefined) return undefined;
  const { key, value } = entry;
  const text = value.kind === "text" ? value.text : undefined;
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  if (text === undefined) {
    wrongType(value, wordList(words), `${key}: ${words[0]}`, problems);
    return undefined;
  }
  const message = `\`${key}\` is ${wordList(words)}, not ${shown(text)}`;
  problems.error(
    value.place,
    { code: "wrong_value", message, remedy: `${key}: ${nearestWord(text, words) ?? words.join(" or ")}` },
    text,
  );
  return undefined;
}

/** Reads `true` or `false`. */
export function readBoolean(entry: SourceEntry | undefined, problems: ProblemList): boolean | undefined {
  if (entry === undefined) return undefined;
  const { key, value } = entry;
  if (value.kind === "boolean") return value.text.toLowerCase() === "true";
  const text = value.kind === "text" ? value.text.toLowerCase() : "";
  const meant = ["yes", "on", "true", "1", "y"].includes(text);
  wrongType(value, "`true` or `false`", `${key}: ${meant}`, problems);
  return undefined;
}

/** A text of a list, with its place. */
export interface ListedText {
  readonly text: string;
  readonly place: Place;
}

/**
 * Reads a list of texts, each once. An empty list is an error: it could be taken for everything as well as for nothing.
 * `single` says that a text alone is a list of one.
 */
export function readTexts(
  entry: SourceEntry | undefined,
  options: { readonly what: string; readonly example: string; readonly single?: boolean },
  problems: ProblemList,
): readonly ListedText[] | undefined {
  if (entry === undefined) return undefined;
  const { key, value } = entry;
  if (value.kind === "text" && options.single === true) return [{ text: value.text, place: value.place }];
  if (value.kind !== "list") {
    const scalar = value.kind === "text" ? value.text : options.example;
    wrongType(value, `a list of ${options.what}`, `${key}: [${scalar}]`, problems);
    return undefined;
  }
  if (value.items.length === 0) {
    const message = `the list of \`${key}\` is empty`;
    const remedy = `${key}: [${options.example}], or no \`${key}\` at all`;
    problems.error(value.place, {
      code: "empty_list",
      message,
      remedy: key === "to" ? `to: ${options.example}` : remedy,
    });
    return undefined;
  }
  const texts: ListedText[] = [];
  const seen = new Set<string>();
  for (const item of value.items) {
    const text = readText(item, `one of the ${options.what}`, problems);
    if (text === undefined) continue;
    if (seen.has(text)) {
      const message = `${shown(text)} stands in \`${key}\` twice`;
      problems.warning(item.place, { code: "duplicate_entry", message, remedy: "it once" }, text);
    } else {
      texts.push({ text, place: item.place });
    }
    seen.add(text);
  }
  return texts;
}

type LimitReader = (scalar: WrittenScalar) => Result<Limits, Finding>;

function limitReader<Value>(
  parse: (scalar: WrittenScalar) => Result<Value, Finding>,
  make: (value: Value) => Limits,
): LimitReader {
  return (scalar) => {
    const parsed = parse(scalar);
    return parsed.ok ? { ok: true, value: make(parsed.value) } : parsed;
  };
}

const limitReaders: Readonly<Record<string, LimitReader>> = {
  rate: limitReader(parseRate, (rate) => ({ rate })),
  burst: limitReader(parseCount, (burst) => ({ burst })),
  concurrent: limitReader(parseCount, (concurrent) => ({ concurrent })),
  requests: limitReader(parseCount, (requests) => ({ requests })),
  requestBody: limitReader(parseSize, (requestBodyBytes) => ({ requestBodyBytes })),
  responseBody: limitReader(parseSize, (responseBodyBytes) => ({ responseBodyBytes })),
  bytesOut: limitReader(parseSize, (bytesOut) => ({ bytesOut })),
  bytesIn: limitReader(parseSize, (bytesIn) => ({ bytesIn })),
  timeout: limitReader(parseDuration, (timeoutMs) => ({ timeoutMs })),
};

// Zero for one of these is a way to deny everything, and most who write it mean that there is no limit.
const zeroMeansNothing: readonly string[] = ["rate", "burst", "concurrent", "requests", "timeout"];

/** Reads a map of limits. What cannot be read is left out, and was reported. */
export function readLimits(entry: SourceEntry | undefined, problems: ProblemList): Limits {
  const fields = entry === undefined ? undefined : readFields(entry.value, "limits", problems);
  let limits: Limits = {};
  for (const { key, value } of fields?.values() ?? []) {
    const reader = limitReaders[key];
    if (value.kind === "unreadable" || reader === undefined) continue;
    if (value.kind !== "text" && value.kind !== "number") {
      wrongType(value, `the limit \`${key}\``, `${key}: ${limitExamples[key]}`, problems);
      continue;
    }
    const read = reader({ isNumber: value.kind === "number", text: value.text });
    if (!read.ok) {
      const { code, message, remedy } = read.error;
      problems.error(
        value.place,
        { code, message: `\`${key}\`: ${message}`, remedy: `${key}: ${remedy}` },
        value.text,
      );
      continue;
    }
    limits = { ...limits, ...read.value };
    if (/^0(?![0-9])/.test(value.text) && zeroMeansNothing.includes(key)) {
      const message = `\`${key}: ${value.text}\` means none, not unlimited: no request goes through`;
      problems.warning(
        value.place,
        { code: "nothing_passes", message, remedy: `no \`${key}\`, for the default` },
        value.text,
      );
    }
  }
  return limits;
}

/** A value of each limit, for remedies and for the schema's examples. */
export const limitExamples: Readonly<Record<string, string>> = {
  rate: "60/min",
  burst: "10",
  concurrent: "8",
  requests: "1000",
  requestBody: "64KiB",
  responseBody: "1MiB",
  bytesOut: "16MiB",
  bytesIn: "1GiB",
  timeout: "5s",
};

/** Reports a value of the wrong type, unless it was reported already. */
export function wrongType(node: SourceNode, what: string, remedy: string, problems: ProblemList): void {
  if (node.kind === "unreadable") return;
  const found = {
    map: "a map",
    list: "a list",
    text: () => `the text ${shown(node.kind === "text" ? node.text : "")}`,
    number: () => `the number ${shown("text" in node ? node.text : "")}`,
    boolean: () => `the boolean ${shown("text" in node ? node.text : "")}`,
    null: "nothing",
  }[node.kind];
  const foundText = typeof found === "string" ? found : found();
  const text = "text" in node ? node.text : undefined;
  problems.error(
    node.place,
    { code: "wrong_type", message: `here stands ${foundText} in place of ${what}`, remedy },
    text,
  );
}
