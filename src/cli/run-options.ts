// Reads the options of `run` into an order that is ready to be carried out, files included.
// It must never start anything: every mistake is found and told before the first thing happens.
import { X509Certificate } from "node:crypto";
import { basename } from "node:path";
import { domainToASCII } from "node:url";
import type { Policy, PolicyProblem } from "../index.ts";
import { parseDuration, parseIp, parseSize, policyFromAllowList } from "../index.ts";
import type { PolicySource } from "./advice.ts";
import type { Arguments } from "./arguments.ts";
import { readInputFile } from "./input-file.ts";
import type { Checked, Mistake } from "./mistake.ts";
import { bad, good } from "./mistake.ts";
import { readPolicyFile } from "./policy-file.ts";
import { printable } from "./terminal.ts";

/** A run, ready to be started. */
export interface RunOrder {
  readonly moduleFile: string;
  readonly wasm: Uint8Array;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly guest: string;
  readonly invoke: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly memoryBytesMax: number | undefined;
  readonly concurrent: number | undefined;
  readonly auditDir: string | undefined;
  readonly ca: readonly string[];
  readonly resolve: Readonly<Record<string, readonly string[]>> | undefined;
  readonly policy: Policy;
  readonly policySource: PolicySource;
  readonly otlpEndpoint: string | undefined;
  readonly summary: boolean;
  readonly reportFile: string | undefined;
}

/** Reads everything that `run` was given; all mistakes at once. */
export async function readRunOrder(args: Arguments): Promise<Checked<RunOrder>> {
  const mistakes: Mistake[] = [];
  const take = <Value>(checked: Checked<Value>): Value | undefined => {
    if (checked.ok) return checked.value;
    mistakes.push(...checked.mistakes);
    return undefined;
  };
  const [moduleFile, ...guestArgs] = args.positionals;
  const wasm =
    moduleFile === undefined
      ? take<Uint8Array>(bad("run needs a MODULE", "write: sallyport run [options] guest.wasm [-- ARGS...]"))
      : take<Uint8Array>(await readInputFile(moduleFile, "the module"));
  const isolation = args.value("isolation");
  if (isolation !== undefined && isolation !== "thread") {
    take(
      bad(
        `--isolation ${printable(isolation)}: this version has only thread`,
        "write --isolation thread or leave it out",
      ),
    );
  }
  const env = take(readEnvironment(args.values("env")));
  const timeoutMs = take(readQuantityOption("timeout", args.value("timeout"), parseDuration));
  const memoryBytesMax = take(readQuantityOption("max-memory", args.value("max-memory"), parseSize));
  // What WebAssembly can address with 32 bits.
  if (memoryBytesMax !== undefined && memoryBytesMax > 2 ** 32) {
    take(
      bad(
        `--max-memory ${args.value("max-memory") ?? ""} is more than a guest can address`,
        "write --max-memory 4GiB or less",
      ),
    );
  }
  const concurrent = take(readConcurrency(args.value("concurrency")));
  const resolve = take(readAnswers(args.values("resolve")));
  const ca = take(await readAuthorities(args.value("ca")));
  const policy = take(await readPolicyOptions(args));
  const guest = args.value("guest") ?? basename(moduleFile ?? "", ".wasm");
  if (args.value("guest") === "") take(bad("--guest is empty", "write --guest NAME, or leave it out"));
  for (const name of ["audit", "report", "invoke"]) {
    if (args.value(name) === "")
      take(bad(`--${name} is empty`, `write --${name} with a value, or leave it out`));
  }
  if (mistakes.length > 0 || wasm === undefined || moduleFile === undefined || policy === undefined) {
    return { ok: false, mistakes };
  }
  return good({
    moduleFile,
    wasm,
    args: guestArgs,
    env: env ?? {},
    guest,
    invoke: args.value("invoke"),
    timeoutMs,
    memoryBytesMax,
    concurrent,
    auditDir: args.value("audit"),
    ca: ca ?? [],
    resolve,
    ...policy,
    otlpEndpoint: args.value("otlp-endpoint"),
    summary: args.has("summary"),
    reportFile: args.value("report"),
  });
}

interface PolicyChoice {
  readonly policy: Policy;
  readonly policySource: PolicySource;
}

async function readPolicyOptions(args: Arguments): Promise<Checked<PolicyChoice>> {
  const file = args.value("policy");
  const hosts = args.values("allowed-host");
  const addresses = args.values("allow-address");
  const reportOnly = args.has("report-only");
  if (file !== undefined && hosts.length > 0) {
    return bad(
      "-p and -a cannot be given together",
      `add a rule with \`to: ${printable(hosts[0] ?? "")}\` to ${printable(file)}`,
    );
  }
  if (addresses.length > 0 && hosts.length === 0) {
    return bad(
      "--allow-address belongs to -a patterns, and there are none",
      `in a policy file grants stand on a rule: \`addresses: [${printable(addresses[0] ?? "")}]\``,
    );
  }
  if (file !== undefined) {
    const read = await readPolicyFile(file);
    if (!read.ok) return read;
    const policy: Policy = reportOnly ? { ...read.value, mode: "report" } : read.value;
    return good({ policy, policySource: { kind: "file", file } });
  }
  const made = policyFromAllowList(hosts.length === 0 ? undefined : hosts, {
    ...(addresses.length === 0 ? {} : { addresses }),
    mode: reportOnly ? "report" : "enforce",
  });
  if (made.policy === undefined) {
    const errors = made.problems.filter(({ severity }) => severity === "error");
    return {
      ok: false,
      mistakes: errors.map(allowListMistake),
    };
  }
  return good({
    policy: made.policy,
    policySource: { kind: hosts.length === 0 ? "none" : "allowed-hosts" },
  });
}

// The problem's words are those of policy files; its text says which option is meant.
function allowListMistake({ code, text = "", message, remedy }: PolicyProblem): Mistake {
  const option = code === "invalid_address" ? "--allow-address" : "-a";
  const inFile = /^\w+:\s/.test(remedy) ? "in a policy file (-p) " : "";
  return {
    message: `${option} ${printable(text)}: ${message}`,
    ...(remedy === "" ? {} : { remedy: `${inFile}write: ${remedy}` }),
  };
}

function readEnvironment(pairs: readonly string[]): Checked<Readonly<Record<string, string>>> {
  const env = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at <= 0) {
      const name = at === 0 ? "NAME" : printable(pair);
      const why = at === 0 ? "has no name before the =" : "has no value";
      return bad(
        `-e ${printable(pair)} ${why}`,
        `write -e ${name}=VALUE; nothing is taken from this process's environment`,
      );
    }
    env.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return good(Object.fromEntries(env));
}

function readQuantityOption(
  name: string,
  text: string | undefined,
  read: typeof parseDuration,
): Checked<number | undefined> {
  if (text === undefined) return good(undefined);
  // As a policy file would read it: there, too, `0` alone is a number.
  const quantity = read({ isNumber: text === "0", text: printable(text) });
  if (!quantity.ok)
    return bad(`--${name}: ${quantity.error.message}`, `write --${name} ${quantity.error.remedy}`);
  if (quantity.value > 0) return good(quantity.value);
  return bad(`--${name} ${printable(text)} leaves the guest nothing`, `leave --${name} out for the default`);
}

function readConcurrency(text: string | undefined): Checked<number | undefined> {
  if (text === undefined) return good(undefined);
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return good(value);
  return bad(`-c ${printable(text)} is not a whole number`, "write -c 4; 0 allows no open response at all");
}

function readAnswers(
  entries: readonly string[],
): Checked<Readonly<Record<string, readonly string[]>> | undefined> {
  if (entries.length === 0) return good(undefined);
  const answers = new Map<string, string[]>();
  for (const entry of entries) {
    const shown = `--resolve ${printable(entry)}`;
    const form = "write --resolve name.example=192.0.2.1 or --resolve name.example=192.0.2.1,192.0.2.2";
    const at = entry.indexOf("=");
    const written = entry.slice(0, Math.max(at, 0)).trim();
    if (written === "") return bad(`${shown} is not NAME=IP`, form);
    if (parseIp(written.replace(/^\[|\]$/g, "")) !== undefined) {
      return bad(`${shown}: an IP address is never resolved`, "write a name before the =");
    }
    // The gate asks for names in their A-label form.
    const name = /[\s/:@?#\\%]/.test(written) ? "" : domainToASCII(written).replace(/\.$/, "");
    if (name === "") return bad(`${shown}: ${printable(written)} is not a host name`, form);
    const list = entry
      .slice(at + 1)
      .split(",")
      .map((text) => text.trim());
    for (const text of list) {
      if (parseIp(text) === undefined) {
        const what =
          text === ""
            ? "has an empty place where an IP address belongs"
            : `has ${printable(text)}, which is not an IP address`;
        return bad(`${shown} ${what}`, form);
      }
    }
    answers.set(name, [...(answers.get(name) ?? []), ...list]);
  }
  return good(Object.fromEntries(answers));
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

async function readAuthorities(file: string | undefined): Promise<Checked<readonly string[]>> {
  if (file === undefined) return good([]);
  const read = await readInputFile(file, "the --ca file");
  if (!read.ok) return read;
  const shown = printable(file);
  const blocks = read.value.toString("latin1").match(pemBlock) ?? [];
  if (blocks.length === 0) {
    return bad(
      `--ca ${shown} holds no certificate in PEM form`,
      "it needs a block from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; " +
        "for a DER file: openssl x509 -inform der -in FILE -out ca.pem",
    );
  }
  const broken = blocks.findIndex((block) => !isCertificate(block));
  if (broken >= 0) {
    return bad(
      `--ca ${shown}: certificate ${broken + 1} of ${blocks.length} is damaged`,
      "copy it again from its source",
    );
  }
  return good(blocks);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
