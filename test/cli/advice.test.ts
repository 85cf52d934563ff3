// What a refused request's block advises: never more than the one request needs, and never what cannot work.
import { describe, expect, test } from "vitest";
import type { PolicySource, Refusal } from "../../src/cli/advice.ts";
import { adviceFor } from "../../src/cli/advice.ts";
import { type Reason, reasonTable } from "../../src/core/reason.ts";

const file: PolicySource = { kind: "file", file: "p.yaml" };
const hosts: PolicySource = { kind: "allowed-hosts" };

const refusal = (reason: Reason, more: Partial<Refusal> = {}): Refusal => ({
  method: "GET",
  url: "https://api.example/v1",
  reason,
  stage: reasonTable[reason].stage,
  ...more,
});

describe("a destination that no rule allows", () => {
  test.each([
    [
      "https://api.example/v1?q=REDACTED",
      "-a https://api.example",
      "add a rule with `to: https://api.example` to p.yaml",
    ],
    [
      "http://api.example:8080/",
      "-a http://api.example:8080",
      "add a rule with `to: http://api.example:8080` to p.yaml",
    ],
    [
      "http://[2001:db8::1]:8080/",
      "-a 'http://[2001:db8::1]:8080'",
      'add a rule with `to: "http://[2001:db8::1]:8080"` to p.yaml',
    ],
    [
      "gopher://api.example/",
      "no policy can allow it: guests reach http and https only",
      "no policy can allow it: guests reach http and https only",
    ],
  ])("%s", (url, forHosts, forFile) => {
    expect(adviceFor(refusal("host_not_allowed", { url }), hosts)).toBe(forHosts);
    expect(adviceFor(refusal("host_not_allowed", { url }), { kind: "none" })).toBe(forHosts);
    expect(adviceFor(refusal("host_not_allowed", { url }), file)).toBe(forFile);
  });

  test("an address that hands out credentials is not opened without a word", () => {
    const asked = refusal("ip_literal_not_allowed", { url: "http://169.254.169.254/latest" });
    expect(adviceFor(asked, hosts)).toBe(
      "this address hands out the machine's own credentials; if the guest is to have them: -a http://169.254.169.254",
    );
  });

  test("an address with another one hidden in it cannot be opened at all", () => {
    const asked = refusal("ip_literal_not_allowed", { url: "http://[64:ff9b::a00:1]/" });
    expect(adviceFor(asked, hosts)).toContain("no rule can grant an address with another one hidden in it");
  });

  test("at a redirect it is the target that is to be allowed", () => {
    const asked = refusal("host_not_allowed", { stage: "redirect", deniedUrl: "https://other.example/x" });
    expect(adviceFor(asked, hosts)).toBe("-a https://other.example");
  });
});

describe("a limit", () => {
  test.each([
    ["guest.requests", "raise `limits: { requests }` of the policy as a whole"],
    ["rule.requests", "raise `limits: { requests }` of rule a"],
  ])("%s names whose it is", (name, advice) => {
    const asked = refusal("request_budget_exhausted", { rule: "a", limit: { name, value: 5 } });
    expect(adviceFor(asked, file)).toBe(advice);
  });

  test("of the command line is not the policy's", () => {
    const asked = refusal("concurrency_exceeded", { rule: "a", limit: { name: "run.concurrent", value: 0 } });
    expect(adviceFor(asked, file)).toContain("-c N");
  });
});

describe("a forbidden address", () => {
  test.each(["loopback", "private", "link_local", "unique_local", "cgnat"] as const)(
    "%s has a name",
    (range) => {
      const asked = refusal("address_forbidden", { range, address: "x", rule: "cache" });
      expect(adviceFor(asked, hosts)).toBe(`--allow-address ${range}`);
      expect(adviceFor(asked, file)).toBe(`write \`addresses: [${range}]\` on rule cache in p.yaml`);
    },
  );

  test.each([
    ["self", "203.0.113.7", "203.0.113.7/32"],
    ["cloud_metadata", "169.254.169.254", "169.254.169.254/32"],
    ["documentation", "2001:db8::1", "2001:db8::1/128"],
    ["reserved", "240.0.0.1", "240.0.0.1/32"],
  ] as const)("%s is granted by its exact address, after a warning", (range, address, grant) => {
    const advice = adviceFor(refusal("address_forbidden", { range, address, rule: "allowed-host-1" }), hosts);
    expect(advice).toMatch(/^(this|no honest).*if /);
    expect(advice?.endsWith(`: --allow-address ${grant}`)).toBe(true);
  });

  test("needs a rule before it needs a grant", () => {
    const asked = refusal("address_forbidden", {
      range: "loopback",
      address: "127.0.0.1",
      url: "http://a.example/",
    });
    expect(adviceFor(asked, hosts)).toBe("-a http://a.example, and grant the address with --allow-address");
  });

  test("of a deny rule is that rule's", () => {
    expect(adviceFor(refusal("address_forbidden", { range: "denied_by_rule", rule: "no" }), file)).toContain(
      "deny rule no",
    );
  });
});

test("no advice for any reason opens everything", () => {
  for (const reason of Object.keys(reasonTable) as Reason[]) {
    for (const source of [file, hosts]) {
      expect(adviceFor(refusal(reason), source) ?? "").not.toMatch(/\*|allow-all|0\.0\.0\.0\/0/);
    }
  }
});
