// `policy explain --batch`: JSON lines in, one JSON line out for each, in the same order and with back-pressure.
// It must never hold more than one line and one block of answers, nor stop at a line that it cannot read.
import type { HeaderField, Policy } from "../index.ts";
import type { Question, Verdict } from "./judgement.ts";
import { judge } from "./judgement.ts";

/** Longest line in bytes: the longest URL and headers that a request may have, each character escaped as `\u00e9`. */
const lineBytesMax = 256 * 1024;

/** How a batch went. */
export interface BatchEnd {
  readonly lines: number;
  readonly faulty: number;
}

/** Judges every line of `input`; `write` returns false when nobody reads the answers any more. */
export async function explainBatch(
  policy: Policy,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => Promise<boolean>,
): Promise<BatchEnd> {
  let lines = 0;
  let faulty = 0;
  let block = "";
  const answer = (bytes: Uint8Array | undefined): void => {
    lines += 1;
    const read = bytes === undefined ? overlong : readQuestion(bytes);
    if (typeof read === "string") faulty += 1;
    const reply =
      typeof read === "string" ? { error: `line ${lines}: ${read}` } : answerOf(policy, judge(policy, read));
    block += `${JSON.stringify(reply)}\n`;
  };
  const flush = async (): Promise<boolean> => {
    const text = block;
    block = "";
    return text === "" || (await write(text));
  };

  // Parts of the line that is not complete yet; `skipping` once it is too long to be kept.
  let parts: Uint8Array[] = [];
  let length = 0;
  let skipping = false;
  const takePart = (part: Uint8Array): void => {
    length += part.byteLength;
    skipping ||= length > lineBytesMax;
    if (skipping) parts = [];
    else if (part.byteLength > 0) parts.push(part);
  };
  const endLine = (): void => {
    answer(skipping ? undefined : Buffer.concat(parts));
    parts = [];
    length = 0;
    skipping = false;
  };

  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      takePart(chunk.subarray(start, end));
      endLine();
      start = end + 1;
      if (block.length > blockLengthMax && !(await flush())) return { lines, faulty };
    }
    takePart(chunk.subarray(start));
    // Whoever sends one line and waits gets its answer.
    if (!(await flush())) return { lines, faulty };
  }
  if (length > 0) endLine();
  await flush();
  return { lines, faulty };
}

const newline = 0x0a;
const blockLengthMax = 64 * 1024;
const overlong = `longer than ${lineBytesMax / 1024} KiB`;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** One line's question, or what is wrong with it. */
function readQuestion(bytes: Uint8Array): Question | string {
  let value: unknown;
  try {
    // A carriage return before the newline is white space to JSON.
    value = JSON.parse(decoder.decode(bytes));
  } catch (fault) {
    if (bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) return "empty";
    return fault instanceof SyntaxError ? "not JSON" : "not UTF-8";
  }
  if (!isRecord(value)) return 'not an object, as {"method":"GET","url":"https://api.example/"}';
  const { url, headers, resolves } = value;
  const method = value.method ?? "GET";
  if (typeof method !== "string") return "method is not a string";
  if (typeof url !== "string") return url === undefined ? "url is missing" : "url is not a string";
  const fields = readHeaders(headers);
  if (typeof fields === "string") return fields;
  if (resolves === undefined || resolves === null)
    return { method, url, headers: fields, resolves: undefined };
  if (!isTextList(resolves)) return "resolves is not a list of IP addresses";
  return { method, url, headers: fields, resolves };
}

function readHeaders(headers: unknown): readonly HeaderField[] | string {
  if (headers === undefined || headers === null) return [];
  const form = "headers is neither an object of strings or lists of strings nor a list of pairs";
  if (Array.isArray(headers)) {
    const pairs: HeaderField[] = [];
    for (const pair of headers) {
      if (!isTextList(pair) || pair.length !== 2) return form;
      const [name = "", value = ""] = pair;
      pairs.push([name, value]);
    }
    return pairs;
  }
  if (!isRecord(headers)) return form;
  const pairs: HeaderField[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const values = typeof value === "string" ? [value] : value;
    if (!isTextList(values)) return form;
    for (const one of values) pairs.push([name, one]);
  }
  return pairs;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** One answer of `--batch` and `--json`. */
export interface Answer {
  readonly effect: "allow" | "deny";
  readonly reason: string | null;
  readonly stage: string | null;
  readonly rule: string | null;
  readonly range: string | null;
  readonly destination: {
    readonly scheme: string;
    readonly host: string;
    readonly port: number;
    readonly path: string;
    readonly query: string;
  } | null;
  /** Present when the name's addresses were not given. */
  readonly addresses?: "not judged";
  /** Present when the policy only reports: a denial of its rules would not have stopped the request. */
  readonly mode?: "report";
  /** With `mode`: whether the denial would go through. */
  readonly decision?: "allow" | "deny" | "would_deny";
}

// What the gate of a policy that only reports does: some denials go through, others do not.
function decisionOf({ effect, denial, judgement }: Verdict): "allow" | "deny" | "would_deny" {
  return judgement.effect === "would_deny" && denial?.stage === "policy" ? "would_deny" : effect;
}

/** A verdict in the members of the answer, null where there is nothing to say. */
export function answerOf(policy: Policy, verdict: Verdict): Answer {
  const { denial, destination } = verdict;
  return {
    effect: verdict.effect,
    reason: denial?.reason ?? null,
    stage: denial?.stage ?? null,
    rule: verdict.rule ?? null,
    range: denial?.range ?? null,
    destination:
      destination === undefined
        ? null
        : {
            scheme: destination.scheme,
            host: destination.hostText,
            port: destination.port,
            path: destination.path,
            query: destination.query,
          },
    ...(verdict.addressesJudged ? {} : { addresses: "not judged" as const }),
    ...(policy.mode === "report" ? { mode: "report" as const, decision: decisionOf(verdict) } : {}),
  };
}
