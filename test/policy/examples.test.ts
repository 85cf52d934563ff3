// The policies that ship with the package: each is free of findings and does what its comments say.
import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { vetAddresses } from "../../src/policy/addresses.ts";
import { formatProblem, parsePolicy } from "../../src/policy/document.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { policySchema } from "../../src/policy/schema.ts";
import { parseIp } from "../../src/url/ip-address.ts";
import { judge, showDecision } from "../support/policies.ts";

const folder = new URL("../../policies/", import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const textOf = (file: string): string => readFileSync(new URL(file, folder), "utf8");
const validate = new Ajv2020().compile(policySchema);

function policyOfFile(name: string): Policy {
  const { policy } = parsePolicy(textOf(`${name}.yaml`), { file: `${name}.yaml` });
  if (policy === undefined) throw new Error(name);
  return policy;
}

describe("policies", () => {
  for (const file of files) {
    test(`${file} has no finding, opens with its schema and is valid by it`, () => {
      const text = textOf(file);
      expect(parsePolicy(text, { file, lint: true }).problems.map(formatProblem)).toEqual([]);
      expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./policy.schema.json");
      expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    });
  }
});

const cases: Readonly<Record<string, readonly (readonly [string, string, string])[]>> = {
  "weather-widget": [
    ["GET", "https://api.weather.example/v1/forecast/berlin?days=3", "allow by forecast"],
    ["GET", "https://api.weather.example/v1/alerts/de", "allow by forecast"],
    ["GET", "https://a.b.icons.weather.example/sun.svg", "allow by icons"],
    ["POST", "https://api.weather.example/v1/forecast/berlin", "method_not_allowed"],
    ["GET", "https://api.weather.example/v1/alerts/de/all", "path_not_allowed"],
    ["GET", "https://api.weather.example/v1/forecast/..%2fadmin/keys", "rule_denied by no-admin"],
    ["GET", "http://api.weather.example/v1/forecast/berlin", "scheme_not_allowed"],
    ["GET", "https://icons.weather.example/sun.svg", "host_not_allowed"],
  ],
  "payment-webhooks": [
    ["POST", "https://orders.hooks.shop.example/payments", "allow by shop-hooks"],
    ["POST", "https://partner.example:8443/refunds/17", "allow by shop-hooks"],
    ["POST", "https://partner.example/refunds/17", "port_not_allowed"],
    ["GET", "https://partner.example:8443/refunds/17", "method_not_allowed"],
    ["POST", "https://a.b.hooks.shop.example/payments", "host_not_allowed"],
  ],
  "package-mirror": [
    ["GET", "https://registry.packages.example/simple/requests/", "allow by index"],
    ["GET", "https://registry.packages.example/v2/requests/index.json", "allow by index"],
    ["GET", "https://eu.cdn.packages.example/r/requests.whl", "allow by files"],
    ["PUT", "https://registry.packages.example/simple/requests/", "rule_denied by no-upload"],
    ["DELETE", "https://files.packages.example/r/requests.whl", "rule_denied by no-upload"],
    ["GET", "https://registry.packages.example/login", "path_not_allowed"],
  ],
  "internal-cache": [
    ["GET", "http://cache.corp.example:8080/key", "allow by cache"],
    ["POST", "http://10.20.9.9:9091/metrics/job/build", "allow by metrics"],
    ["PUT", "http://10.20.32.17:7031/key", "allow by shards"],
    ["GET", "http://10.20.33.1:7000/key", "ip_literal_not_allowed"],
    ["GET", "http://10.20.32.17:7032/key", "port_not_allowed"],
    ["DELETE", "http://10.20.32.17:7000/key", "method_not_allowed"],
  ],
  "report-rollout": [
    ["GET", "https://api.vendor.example/", "allow by vendor-api"],
    ["GET", "https://status.vendor.example/", "allow by status-page"],
    ["POST", "https://status.vendor.example/", "allow by vendor-api"],
    ["GET", "https://elsewhere.example/", "host_not_allowed"],
  ],
};

describe("each example", () => {
  for (const [name, rows] of Object.entries(cases)) {
    for (const [method, url, expected] of rows) {
      test(`${name}: ${method} ${url} is ${expected}`, () => {
        expect(showDecision(judge(policyOfFile(name), method, url))).toBe(expected);
      });
    }
  }

  const addresses: readonly (readonly [string, string, string, string])[] = [
    ["payment-webhooks", "https://partner.example:8443/payments", "10.0.0.1", "denied_by_rule"],
    ["internal-cache", "http://cache.corp.example:8080/", "10.20.7.7", "ok"],
    ["internal-cache", "http://cache.corp.example:8080/", "10.20.0.7", "denied_by_rule"],
    ["internal-cache", "http://cache.corp.example:8080/", "10.21.0.7", "private"],
    ["internal-cache", "http://cache.corp.example:8080/", "fd12:3456:789a::7", "ok"],
    ["internal-cache", "http://10.20.32.17:7000/", "10.20.32.17", "ok"],
    ["weather-widget", "https://api.weather.example/v1/forecast/x", "169.254.169.254", "cloud_metadata"],
  ];
  for (const [name, url, address, expected] of addresses) {
    test(`${name}: ${url} at ${address} is ${expected}`, () => {
      const ip = parseIp(address);
      if (ip === undefined) throw new Error(address);
      const method = name === "payment-webhooks" ? "POST" : "GET";
      const verdict = vetAddresses(judge(policyOfFile(name), method, url).grants, [ip]);
      expect(verdict.ok ? "ok" : verdict.range).toBe(expected);
    });
  }

  test("report-rollout only reports", () => {
    expect(policyOfFile("report-rollout").mode).toBe("report");
  });
});
