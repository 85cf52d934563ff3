// Random policies and requests from a small world, so that they meet; and short ways to a policy in a test.
import fc from "fast-check";
import { decide } from "../../src/policy/decide.ts";
import { formatProblem, parsePolicy } from "../../src/policy/document.ts";
import type { Decision, Policy } from "../../src/policy/policy.ts";
import { destinationOf } from "./arbitraries.ts";
import type { PlainRule } from "./naive-policy.ts";

/** The policy of a text that must be one. */
export function policyOf(text: string): Policy {
  const { policy, problems } = parsePolicy(text, { file: "test.yaml" });
  if (policy === undefined) throw new Error(problems.map(formatProblem).join("\n"));
  return policy;
}

/** The policy of rules, as a document of them says it. */
export function policyOfRules(rules: readonly PlainRule[]): Policy {
  return policyOf(JSON.stringify({ version: 1, rules }));
}

/** What a policy says about a method and a URL. */
export function judge(policy: Policy, method: string, url: string): Decision {
  return decide(policy, { method, destination: destinationOf(url) });
}

/** A decision in one line: `allow by rule`, or the reason, with `by rule` when a rule denied. */
export function showDecision(decision: Decision): string {
  if (decision.effect === "allow") return `allow by ${decision.rule.id}`;
  return decision.rule === undefined ? decision.reason : `${decision.reason} by ${decision.rule.id}`;
}

const schemes = fc.constantFrom("http", "https");
const hostPatterns = fc.constantFrom(
  "example.com",
  "a.example.com",
  "b.a.example.com",
  "cache",
  "printer.local",
  "*.example.com",
  "*.a.example.com",
  "**.example.com",
  "**.com",
  "**",
  "*.local",
  "10.0.0.1",
  "10.0.0.0/8",
  "10.0.0.0/31",
  "0.0.0.0/0",
  "[2001:db8::1]",
  "[2001:db8::/32]",
  "[2001:db8::/127]",
);
const portPatterns = fc.constantFrom("", "", ":8080", ":8000-8999", ":8080-8081", ":*");

const patterns: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc
      .tuple(schemes, hostPatterns, portPatterns)
      .map(([scheme, host, port]) => `${scheme}://${host}${port}`),
  },
  { weight: 1, arbitrary: fc.constant("insecure:allow-all") },
);

const methods = fc.constantFrom("GET", "POST", "DELETE");
const pathPatterns = fc.constantFrom(
  "/",
  "/*",
  "/**",
  "/*/**",
  "/v1",
  "/v1/",
  "/v1/*",
  "/v1/**",
  "/v1/admin",
  "/v1/admin/**",
  "/v1/*/edit",
  "/*/admin",
  "/*/*/edit",
  "/a%20b/**",
  "/100%25/*",
);
const ranges = fc.constantFrom(
  "loopback",
  "private",
  "link_local",
  "10.0.0.0/8",
  "10.0.0.1/32",
  "2001:db8::/32",
  "169.254.169.254/32",
);

function listOf<Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> {
  return fc.uniqueArray(values, { minLength: 1, maxLength: 3 });
}

const rule = fc.record(
  {
    effect: fc.oneof({ weight: 3, arbitrary: fc.constant("allow" as const) }, fc.constant("deny" as const)),
    to: listOf(patterns),
    methods: listOf(methods),
    paths: listOf(pathPatterns),
    addresses: listOf(ranges),
  },
  { requiredKeys: ["effect", "to"] },
);

/** Rules of the small world, their ids in random order. */
export const plainRules: fc.Arbitrary<readonly PlainRule[]> = fc
  .tuple(fc.array(rule, { maxLength: 8 }), fc.shuffledSubarray([..."abcdefgh"], { minLength: 8 }))
  .map(([bodies, ids]) => bodies.map((body, index) => ({ id: ids[index] ?? "z", ...body })));

const hosts = fc.constantFrom(
  "example.com",
  "a.example.com",
  "b.a.example.com",
  "other.com",
  "cache",
  "printer.local",
  "10.0.0.1",
  "10.0.0.9",
  "192.0.2.1",
  "[2001:db8::1]",
  "[2001:db8::9]",
);
const ports = fc.constantFrom("", "", ":8080", ":8081", ":9000");
const segments = fc.constantFrom(
  "v1",
  "v1",
  "admin",
  "admin",
  "edit",
  "x",
  "",
  "v1%2Fadmin",
  "%2F",
  "x%5Cadmin",
  "admin%00.png",
  "%2561dmin",
  "%252e%252e",
  "..%2Fadmin",
  "a%20b",
  "a%2520b",
  "100%25",
);
const paths = fc.array(segments, { maxLength: 4 }).map((list) => `/${list.join("/")}`);

/** URLs that the small world's rules are about, or nearly. */
export const urls: fc.Arbitrary<string> = fc
  .tuple(schemes, hosts, ports, paths)
  .map(([scheme, host, port, path]) => `${scheme}://${host}${port}${path}`);

/** Methods, some of which no policy allows. */
export const requestMethods: fc.Arbitrary<string> = fc.oneof(
  { weight: 9, arbitrary: methods },
  fc.constantFrom("TRACE", "CONNECT", "get", "PUT"),
);
