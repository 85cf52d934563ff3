// The keys of the language, and what to say about a key that is none. Nothing here reads a value.

import { type Finding, shown } from "./problem.ts";
import { nearestWord, wordList } from "./spelling.ts";

/** The maps of a document that have keys of the language. */
export type KeyPlace = "document" | "rule" | "limits";

/** All keys, in the order in which documents read best. */
export const languageKeys: Readonly<Record<KeyPlace, readonly string[]>> = {
  document: ["version", "name", "mode", "rules", "limits"],
  rule: ["id", "effect", "to", "methods", "paths", "addresses", "limits", "redirects", "traceparent"],
  limits: [
    "rate",
    "burst",
    "concurrent",
    "requests",
    "requestBody",
    "responseBody",
    "bytesOut",
    "bytesIn",
    "timeout",
  ],
};

// Words of other systems and of common sense.
const synonyms: Readonly<Record<KeyPlace, Readonly<Record<string, string>>>> = {
  document: {
    policy: "name",
    policies: "rules",
    rule: "rules",
    allowed_hosts: "rules",
    allow: "rules",
    deny: "rules",
    enforce: "mode: enforce",
    report: "mode: report",
    limit: "limits",
    apiversion: "version",
  },
  rule: {
    host: "to",
    hosts: "to",
    url: "to",
    urls: "to",
    destination: "to",
    destinations: "to",
    target: "to",
    domain: "to",
    domains: "to",
    pattern: "to",
    name: "id",
    rule: "id",
    action: "effect",
    allow: "effect: allow",
    deny: "effect: deny",
    method: "methods",
    verbs: "methods",
    path: "paths",
    prefix: "paths",
    cidr: "addresses",
    cidrs: "addresses",
    ranges: "addresses",
    networks: "addresses",
    limit: "limits",
    redirect: "redirects",
    followredirects: "redirects: follow",
    tracing: "traceparent: true",
    trace: "traceparent: true",
    port: "to, whose patterns end with their port: https://api.example.com:8443",
    ports: "to, whose patterns end with their port: https://api.example.com:8000-8999",
    scheme: "to, whose patterns start with their scheme: https://api.example.com",
  },
  limits: {
    ratelimit: "rate",
    rps: "rate",
    concurrency: "concurrent",
    maxconcurrent: "concurrent",
    maxrequests: "requests",
    count: "requests",
    maxbody: "requestBody",
    body: "requestBody",
    requestbodysize: "requestBody",
    responsebodysize: "responseBody",
    maxresponse: "responseBody",
    upload: "bytesOut",
    download: "bytesIn",
    egress: "bytesOut",
    ingress: "bytesIn",
    deadline: "timeout",
    time: "timeout",
    duration: "timeout",
  },
};

const placeNames: Readonly<Record<KeyPlace, string>> = {
  document: "a policy",
  rule: "a rule",
  limits: "`limits`",
};

/** What is wrong with a key that the language does not have at this place. */
export function unknownKey(key: string, place: KeyPlace): Finding {
  const message = `${placeNames[place]} has no key ${shown(key)}; its keys are ${wordList(languageKeys[place], "and")}`;
  return { code: "unknown_key", message, remedy: meantKey(key, place) };
}

function meantKey(key: string, place: KeyPlace): string {
  if (languageKeys.limits.includes(key) && place !== "limits") return `limits: { ${key}: … }`;
  if (languageKeys.rule.includes(key) && place === "document") return `\`${key}\` within a rule`;
  if (languageKeys.document.includes(key) && place === "rule") return `\`${key}\` at the top of the document`;
  const near = nearestWord(key, [...languageKeys[place], ...Object.keys(synonyms[place])]);
  if (near === undefined) return "the document without it";
  return Object.hasOwn(synonyms[place], near) ? (synonyms[place][near] ?? near) : near;
}
