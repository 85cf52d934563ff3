// Lists of allowed hosts as policies.
import { describe, expect, test } from "vitest";
import { policyFromAllowList } from "../../src/policy/allow-list.ts";
import { judge, showDecision } from "../support/policies.ts";

describe("an allow list", () => {
  test("of nothing denies everything", () => {
    for (const patterns of [undefined, []]) {
      const { policy, problems } = policyFromAllowList(patterns);
      if (policy === undefined) throw new Error("no policy");
      expect(problems).toEqual([]);
      expect(showDecision(judge(policy, "GET", "https://a.example/"))).toBe("host_not_allowed");
    }
  });

  test("is a rule for each pattern, named by its number", () => {
    const { policy } = policyFromAllowList(["https://a.example", "http://*.b.example:8080"]);
    if (policy === undefined) throw new Error("no policy");
    expect(showDecision(judge(policy, "POST", "https://a.example/x"))).toBe("allow by allowed-host-1");
    expect(showDecision(judge(policy, "GET", "http://x.b.example:8080/"))).toBe("allow by allowed-host-2");
    expect(showDecision(judge(policy, "GET", "https://c.example/"))).toBe("host_not_allowed");
    expect(policy).toMatchObject({ name: "allowed-hosts", mode: "enforce", allowsEverything: false });
  });

  test("grants its addresses to every pattern and holds its limits and mode", () => {
    const options = {
      addresses: ["loopback", "10.0.0.0/8"],
      limits: { concurrent: 3 },
      mode: "report",
    } as const;
    const { policy } = policyFromAllowList(["https://a.example", "https://b.example"], options);
    if (policy === undefined) throw new Error("no policy");
    expect(policy).toMatchObject({ mode: "report", limits: { concurrent: 3 } });
    for (const url of ["https://a.example/", "https://b.example/"]) {
      expect(judge(policy, "GET", url).grants.key.trim()).toBe("10.0.0.0/8,loopback");
    }
  });

  test("tells all problems, by the number of the pattern", () => {
    const { policy, problems } = policyFromAllowList(
      ["a.example", "https://B.example", "https://c.example/x"],
      { addresses: ["nowhere"] },
    );
    expect(policy).toBeUndefined();
    expect(
      problems.map(({ line, severity, code, remedy }) => `${line} ${severity} ${code} ${remedy}`),
    ).toEqual([
      "1 error invalid_address 10.0.0.0/8",
      "1 error invalid_pattern https://a.example",
      "2 warning not_canonical https://b.example",
      "3 error invalid_pattern to: https://c.example and, below it, paths: [/x]",
    ]);
  });

  test("warns of insecure:allow-all and knows that it is there", () => {
    const { policy, problems } = policyFromAllowList(["insecure:allow-all"]);
    expect(problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "warning insecure_allow_all",
    ]);
    expect(policy?.allowsEverything).toBe(true);
  });
});
