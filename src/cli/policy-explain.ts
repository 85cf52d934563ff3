// `policy explain`: what the gate would say to a request, in words for a person, or as JSON.
// It must never send, resolve or record anything.
import type { Destination, Policy } from "../index.ts";
import { decide, explainDecision, parseIp, reasonTable } from "../index.ts";
import type { PolicySource } from "./advice.ts";
import { adviceFor } from "./advice.ts";
import type { Arguments } from "./arguments.ts";
import { closest } from "./closest.ts";
import { exitStatus } from "./exit-status.ts";
import { answerOf, explainBatch } from "./explain-batch.ts";
import type { Verdict } from "./judgement.ts";
import { judge } from "./judgement.ts";
import type { Mistake } from "./mistake.ts";
import { formatMistakes } from "./mistake.ts";
import { readPolicyFile } from "./policy-file.ts";
import { ruleWithPlace } from "./request-log.ts";
import { paintFor, printable, writeError, writeOutput } from "./terminal.ts";

/** 0 allowed, 1 denied, 2 cannot run; with --batch 0 when every line was judged, 1 otherwise. */
export async function explainCommand(args: Arguments): Promise<number> {
  const mistakes = findMistakes(args);
  const [file = "", ...words] = args.positionals;
  if (mistakes.length > 0) return complain(mistakes);
  const read = await readPolicyFile(file);
  if (!read.ok) return complain(read.mistakes);
  const policy = read.value;
  if (args.has("batch")) {
    const end = await explainBatch(policy, process.stdin, writeOutput);
    if (end.faulty === 0) return exitStatus.good;
    await writeError(`sallyport: ${end.faulty} of ${end.lines} lines could not be judged\n`);
    return exitStatus.findings;
  }
  const [method, url] = words.length === 1 ? ["GET", words[0] ?? ""] : [words[0] ?? "", words[1] ?? ""];
  const resolves = args.has("resolves") ? args.values("resolves") : undefined;
  const verdict = judge(policy, { method, url, headers: [], resolves });
  const text = args.has("json")
    ? `${JSON.stringify(answerOf(policy, verdict), undefined, 2)}\n`
    : inWords(policy, { kind: "file", file }, { method, url }, verdict);
  await writeOutput(text);
  return verdict.effect === "allow" ? exitStatus.good : exitStatus.findings;
}

async function complain(mistakes: readonly Mistake[]): Promise<number> {
  await writeError(formatMistakes(mistakes));
  return exitStatus.cannotRun;
}

function findMistakes(args: Arguments): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const say = (message: string, remedy: string): void => {
    mistakes.push({ message, remedy });
  };
  const [file, ...words] = args.positionals;
  const usage = "write: sallyport policy explain FILE [METHOD] URL [--resolves IP]...";
  if (file === undefined) say("policy explain needs a policy FILE", usage);
  if (args.has("batch")) {
    const extra = words[0] ?? (args.has("resolves") ? "--resolves" : undefined);
    if (extra !== undefined) {
      say(
        `--batch reads requests from standard input, but ${printable(extra)} was given`,
        "write: sallyport policy explain --batch FILE < requests.jsonl",
      );
    }
    return mistakes;
  }
  if (file !== undefined && words.length === 0) say("policy explain needs a URL", usage);
  if (words.length > 2)
    say(`policy explain takes one request, but ${words.length} words follow the file`, usage);
  for (const text of args.values("resolves")) {
    if (parseIp(text) === undefined) {
      say(
        `--resolves ${printable(text)} is not an IP address`,
        "write --resolves 192.0.2.1 or --resolves 2001:db8::1",
      );
    }
  }
  return mistakes;
}

function inWords(
  policy: Policy,
  source: PolicySource,
  asked: { readonly method: string; readonly url: string },
  verdict: Verdict,
): string {
  const paint = paintFor(process.stdout);
  const { denial, destination, rule } = verdict;
  const hard = verdict.judgement.effect === "deny" || denial?.stage === "address" || denial?.stage === "dns";
  const effect =
    denial === undefined
      ? paint.green("allow")
      : policy.mode === "report" && !hard
        ? paint.yellow("would deny (the policy only reports)")
        : paint.red("deny");
  const url = destination === undefined ? asked.url : destination.url;
  const lines = [`${effect}  ${printable(asked.method)} ${printable(url)}`];
  if (denial !== undefined) {
    lines.push(`reason: ${reasonTable[denial.reason].sentence} (${denial.reason}, stage ${denial.stage})`);
    if (denial.detail !== undefined) lines.push(`detail: ${printable(denial.detail).slice(0, 300)}`);
    if (denial.address !== undefined)
      lines.push(`address: ${printable(denial.address)}, range ${denial.range ?? "unknown"}`);
  }
  if (rule !== undefined) lines.push(`rule: ${ruleWithPlace(rule, policy, source)}`);
  if (denial === undefined) lines.push(...allowedLines(verdict));
  if (!verdict.addressesJudged) lines.push("addresses: not judged; --resolves IP says where the name leads");
  if (denial?.stage === "policy" && destination !== undefined) {
    lines.push(...nearLines(policy, source, { method: asked.method, destination }));
  }
  if (denial !== undefined) {
    const advice = adviceFor({ ...denial, method: asked.method, url }, source);
    if (advice !== undefined) lines.push(`to do: ${printable(advice)}`);
  }
  return `${lines.join("\n  ")}\n`;
}

const nearShownMax = 5;

// Allow rules that got furthest. Those that share no more than the scheme are near only when the name is similar.
function nearLines(
  policy: Policy,
  source: PolicySource,
  asked: { readonly method: string; readonly destination: Destination },
): readonly string[] {
  const { nearMisses } = explainDecision(policy, asked, decide(policy, asked));
  const near = nearMisses.filter(({ failedAt, has }) => {
    if (failedAt === "scheme") return false;
    return failedAt !== "host" || closest(asked.destination.origin, has) !== undefined;
  });
  return near
    .slice(0, nearShownMax)
    .map(
      ({ rule, failedAt, has }) =>
        `near: ${ruleWithPlace(rule.id, policy, source)} differs in the ${failedAt}: it has ${printable(has.join(", ")).slice(0, 200)}`,
    );
}

function allowedLines({ judgement }: Verdict): readonly string[] {
  if (judgement.effect === "deny" || judgement.decision.effect !== "allow") return [];
  const { limits, redirects, traceparent, grants } = judgement.decision;
  const named = Object.entries(limits).map(([name, value]) => `${limitKey(name)} ${limitText(name, value)}`);
  const granted = grants.grants.map((grant) => (grant.kind === "cidr" ? grant.cidr.text : grant.name));
  return [
    `limits: ${named.join(", ")}`,
    `redirects: ${redirects ?? "followed for guests of wasi_experimental_http, returned otherwise"}`,
    `special addresses: ${grants.everything ? "every one" : granted.length === 0 ? "none" : granted.join(", ")}`,
    ...(traceparent ? ["traceparent: sent upstream"] : []),
  ];
}

// As a policy file writes it: the unit is in the value there, not in the name.
function limitKey(name: string): string {
  return name.replace(/(?<=Body)Bytes$|Ms$/, "");
}

const perUnits: Readonly<Record<number, string>> = { 1000: "s", 60000: "min", 3600000: "h" };

function limitText(name: string, value: number | { readonly count: number; readonly perMs: number }): string {
  if (typeof value !== "number") return `${value.count}/${perUnits[value.perMs] ?? `${value.perMs}ms`}`;
  if (name.endsWith("Ms")) return value % 1_000 === 0 ? `${value / 1_000}s` : `${value}ms`;
  if (!name.includes("ytes")) return String(value);
  const units = ["B", "KiB", "MiB", "GiB"];
  let size = value;
  let unit = 0;
  while (size >= 1_024 && size % 1_024 === 0 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${size}${units[unit] ?? "B"}`;
}
