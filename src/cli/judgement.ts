// Judges one request for `policy explain`: the gate's own judgement, then the gate's own look at the addresses
// that the user says the name has. It must never resolve a name or decide anything itself.
import type {
  AddressPolicy,
  Denial,
  Destination,
  HeaderField,
  IpAddress,
  Judgement,
  Policy,
} from "../index.ts";
import { judgeRequest, parseIp, reasonTable, vetAddresses } from "../index.ts";

/** What is asked; `resolves` absent means that the name's addresses are not known. */
export interface Question {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly HeaderField[];
  readonly resolves: readonly string[] | undefined;
}

/** What the gate would say. */
export interface Verdict {
  readonly effect: "allow" | "deny";
  /** With `deny`. */
  readonly denial: Denial | undefined;
  /** The rule that allows or denies. */
  readonly rule: string | undefined;
  readonly destination: Destination | undefined;
  readonly addressesJudged: boolean;
  readonly judgement: Judgement;
}

/** Judges a request. Pure and total. */
export function judge(policy: Policy, question: Question): Verdict {
  const { method, url, headers, resolves } = question;
  const judgement = judgeRequest(policy, { method, url, headers, body: "unknown" });
  if (judgement.effect === "deny") {
    const { denial, destination } = judgement;
    const addressesJudged = destination?.host.kind !== "name" || resolves !== undefined;
    return { effect: "deny", denial, rule: denial.rule, destination, addressesJudged, judgement };
  }
  const { hop, decision, grants } = judgement;
  const { destination } = hop;
  const allowedBy = decision.effect === "allow" ? decision.rule.id : undefined;
  const { host } = destination;
  const addressesJudged = host.kind !== "name" || resolves !== undefined;
  const found = host.kind === "name" ? judgeAnswers(grants, resolves) : vet(grants, [host.ip]);
  // As at the gate: a policy that only reports still guards addresses.
  const denial = found ?? (judgement.effect === "would_deny" ? judgement.denial : undefined);
  // What then fails is recorded under the rule that allowed it, unless another one refused it.
  const rule = denial?.rule ?? allowedBy;
  return {
    effect: denial === undefined ? "allow" : "deny",
    denial: denial === undefined || rule === undefined ? denial : { ...denial, rule },
    rule,
    destination,
    addressesJudged,
    judgement,
  };
}

function judgeAnswers(grants: AddressPolicy, answers: readonly string[] | undefined): Denial | undefined {
  if (answers === undefined) return undefined;
  if (answers.length === 0) return denialOf("dns_no_address");
  if (answers.length > answersMax) return denialOf("dns_failed");
  const ips: IpAddress[] = [];
  for (const answer of answers) {
    const ip = parseIp(answer);
    if (ip === undefined) return unreadable(answer);
    ips.push(ip);
  }
  return vet(grants, ips);
}

/** The gate refuses longer answers as a whole. */
const answersMax = 64;

function vet(grants: AddressPolicy, ips: readonly IpAddress[]): Denial | undefined {
  const vetted = vetAddresses(grants, ips);
  if (vetted.ok) return undefined;
  const { address, range, rule } = vetted;
  const denial = { ...denialOf("address_forbidden"), address, range };
  return rule === undefined ? denial : { ...denial, rule: rule.id };
}

const nothingGranted: AddressPolicy = { key: "", everything: false, grants: [], denied: [] };

// Zone ids, shorthand and octal: the resolver would dial it, so it is refused, in the class of what it hides.
function unreadable(answer: string): Denial {
  const ip = parseIp(answer.split("%", 1)[0] ?? "");
  const hidden = ip === undefined ? undefined : vet(nothingGranted, [ip]);
  const range = hidden?.range ?? "reserved";
  return { ...denialOf("address_forbidden"), address: answer, range, detail: "this is no plain IP address" };
}

function denialOf(reason: Denial["reason"]): Denial {
  const { stage, kind } = reasonTable[reason];
  return { reason, stage, kind };
}
