// The judgement of resolved addresses, and the reading of `addresses`.
import { describe, expect, test } from "vitest";
import { nothingGranted, parseAddressGrant, vetAddresses } from "../../src/policy/addresses.ts";
import type { AddressPolicy } from "../../src/policy/policy.ts";
import { parseIp } from "../../src/url/ip-address.ts";
import { judge, policyOf } from "../support/policies.ts";

function granting(...addresses: readonly string[]): AddressPolicy {
  const list = addresses.length === 0 ? "" : `, addresses: ${JSON.stringify(addresses)}`;
  return judge(
    policyOf(`{ version: 1, rules: [{ id: a, to: "https://h.example"${list} }] }`),
    "GET",
    "https://h.example/",
  ).grants;
}

function vet(policy: AddressPolicy, ...texts: readonly string[]): string {
  const ips = texts.map((text) => {
    const ip = parseIp(text);
    if (ip === undefined) throw new Error(text);
    return ip;
  });
  const verdict = vetAddresses(policy, ips, (ip) => ip.text === "203.0.114.7");
  return verdict.ok
    ? "ok"
    : `${verdict.range} ${verdict.address}${verdict.rule === undefined ? "" : ` by ${verdict.rule.id}`}`;
}

const rows: readonly (readonly [readonly string[], readonly string[], string])[] = [
  [[], ["93.184.216.34"], "ok"],
  [[], ["93.184.216.34", "2606:4700::1111"], "ok"],
  [[], ["127.0.0.1"], "loopback 127.0.0.1"],
  [[], ["93.184.216.34", "10.0.0.1"], "private 10.0.0.1"],
  [[], ["::1"], "loopback ::1"],
  [[], ["::ffff:10.0.0.1"], "private 10.0.0.1"],
  [[], ["169.254.169.254"], "cloud_metadata 169.254.169.254"],
  [[], ["fd00::1"], "unique_local fd00::1"],
  [[], ["100.64.0.1"], "cgnat 100.64.0.1"],
  [[], ["224.0.0.1"], "multicast 224.0.0.1"],
  [[], ["64:ff9b::a00:1"], "embedded_ipv4 64:ff9b::a00:1"],
  [[], ["203.0.114.7"], "self 203.0.114.7"],
  [["loopback"], ["127.0.0.1", "127.9.9.9", "::1"], "ok"],
  [["private"], ["10.1.2.3", "172.16.0.1", "192.168.1.1"], "ok"],
  [["private"], ["127.0.0.1"], "loopback 127.0.0.1"],
  [["link_local"], ["169.254.1.1", "fe80::1"], "ok"],
  [["link_local"], ["169.254.169.254"], "cloud_metadata 169.254.169.254"],
  [["unique_local"], ["fd12::1"], "ok"],
  [["unique_local"], ["fd00:ec2::254"], "cloud_metadata fd00:ec2::254"],
  [["cgnat"], ["100.64.0.1"], "ok"],
  [["cgnat"], ["100.100.100.200"], "cloud_metadata 100.100.100.200"],
  [["169.254.0.0/16"], ["169.254.169.254"], "cloud_metadata 169.254.169.254"],
  [["169.254.169.254/32"], ["169.254.169.254"], "ok"],
  [["169.254.169.254"], ["169.254.169.254"], "ok"],
  [["fd00:ec2::254"], ["fd00:ec2::254"], "ok"],
  [["168.63.129.16/31"], ["168.63.129.16"], "cloud_metadata 168.63.129.16"],
  [["10.20.0.0/16"], ["10.20.255.255"], "ok"],
  [["10.20.0.0/16"], ["10.21.0.0"], "private 10.21.0.0"],
  [["10.20.0.0/16", "loopback"], ["10.20.0.1", "127.0.0.1"], "ok"],
  [["0.0.0.0/0"], ["10.0.0.1", "224.0.0.1"], "ok"],
  [["0.0.0.0/0"], ["::1"], "loopback ::1"],
  [["64:ff9b::/96"], ["64:ff9b::a00:1"], "embedded_ipv4 64:ff9b::a00:1"],
  [["203.0.114.7"], ["203.0.114.7"], "ok"],
  [["private", "loopback"], ["203.0.114.7"], "self 203.0.114.7"],
  [["private"], [], "ok"],
];

describe("the judgement of addresses", () => {
  for (const [grants, addresses, expected] of rows) {
    test(`with [${grants.join(", ")}], [${addresses.join(", ")}] is ${expected}`, () => {
      expect(vet(granting(...grants), ...addresses)).toBe(expected);
    });
  }

  test("insecure:allow-all grants even what is always refused", () => {
    const policy = judge(
      policyOf("{ version: 1, rules: [{ id: a, to: insecure:allow-all }] }"),
      "GET",
      "https://h.example/",
    ).grants;
    expect(vet(policy, "64:ff9b::a00:1", "169.254.169.254", "203.0.114.7", "0.0.0.0")).toBe("ok");
  });

  const denying = policyOf(`
    version: 1
    rules:
      - { id: a, to: [https://h.example, insecure:allow-all] }
      - { id: d2, effect: deny, to: https://h.example, addresses: [private] }
      - { id: d1, effect: deny, to: https://h.example, addresses: [10.0.0.0/8, 93.184.216.0/24] }
      - { id: d3, effect: deny, to: https://other.example, addresses: [loopback] }
      - { id: d4, effect: deny, to: https://h.example, methods: [POST], paths: [/x/**], addresses: [loopback] }
  `);

  test("a deny rule about addresses beats every grant, and the first by id is named", () => {
    const { grants } = judge(denying, "GET", "https://h.example/");
    expect(vet(grants, "10.0.0.1")).toBe("denied_by_rule 10.0.0.1 by d1");
    expect(vet(grants, "192.168.0.1")).toBe("denied_by_rule 192.168.0.1 by d2");
    expect(vet(grants, "93.184.216.34")).toBe("denied_by_rule 93.184.216.34 by d1");
    expect(vet(grants, "127.0.0.1")).toBe("ok");
  });

  test("a deny rule about addresses holds for its own destinations, methods and paths", () => {
    expect(vet(judge(denying, "GET", "https://else.example/").grants, "10.0.0.1")).toBe("ok");
    expect(vet(judge(denying, "POST", "https://h.example/x/y").grants, "127.0.0.1")).toBe(
      "denied_by_rule 127.0.0.1 by d4",
    );
    expect(vet(judge(denying, "POST", "https://h.example/y").grants, "127.0.0.1")).toBe("ok");
    expect(vet(judge(denying, "POST", "https://h.example/y%2F..%2Fx").grants, "127.0.0.1")).toBe(
      "denied_by_rule 127.0.0.1 by d4",
    );
  });

  test("a deny rule is found over all answers before any class is judged", () => {
    const policy = policyOf(`
      version: 1
      rules:
        - { id: a, to: https://h.example }
        - { id: d, effect: deny, to: https://h.example, addresses: [private] }
    `);
    expect(vet(judge(policy, "GET", "https://h.example/").grants, "127.0.0.1", "10.0.0.1")).toBe(
      "denied_by_rule 10.0.0.1 by d",
    );
  });

  test("no grant at all has the empty key", () => {
    expect(granting("loopback").key).not.toBe(nothingGranted.key);
    expect(
      judge(
        policyOf("{ version: 1, rules: [{ id: a, to: 'https://h.example' }] }"),
        "GET",
        "https://h.example/",
      ).grants,
    ).toBe(nothingGranted);
  });
});

const entries: readonly (readonly [string, string])[] = [
  ["loopback", "loopback"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["10.0.0.1", "10.0.0.1/32"],
  ["fd00::1", "fd00::1/128"],
  ["FD00::/8", "fd00::/8"],
  ["10.0.0.1/8", "error: 10.0.0.0/8"],
  ["10/8", "error: 10.0.0.0/8"],
  ["010.0.0.0/8", "error: 10.0.0.0/8"],
  ["::ffff:10.0.0.1", "error: 10.0.0.1/32"],
  ["[fd00::1]", "error: fd00::1/128"],
  ["linkLocal", "error: link_local"],
  ["lookback", "error: loopback"],
  ["metadata", "error: 169.254.169.254"],
  ["cloud_metadata", "error: 169.254.169.254"],
  ["everything", "error: 10.0.0.0/8"],
  ["fe80::1%eth0", "error: 10.0.0.0/8"],
];

describe("an entry of addresses", () => {
  for (const [text, expected] of entries) {
    test(`${text} is ${expected}`, () => {
      const parsed = parseAddressGrant(text);
      const shown = parsed.ok
        ? parsed.value.kind === "cidr"
          ? parsed.value.cidr.text
          : parsed.value.name
        : `error: ${parsed.error.remedy}`;
      expect(shown).toBe(expected);
    });
  }
});
