// One look-up, read strictly and vetted.
import { describe, expect, test } from "vitest";
import { bounds } from "../../src/core/bounds.ts";
import { denialOf } from "../../src/egress/denial.ts";
import {
  type Resolver,
  resolveDestination,
  staticResolver,
  systemResolver,
} from "../../src/egress/resolve.ts";
import { makeAddressPolicy, nothingGranted } from "../../src/policy/addresses.ts";
import type { AddressPolicy } from "../../src/policy/policy.ts";
import { destinationOf } from "../support/arbitraries.ts";
import { fakeClock } from "../support/fake-clock.ts";

const loopbackGranted = makeAddressPolicy(false, [{ kind: "name", name: "loopback" }], []);
const everything = makeAddressPolicy(true, [], []);

function resolve(
  url: string,
  resolver: Resolver,
  options: { addressPolicy?: AddressPolicy; signal?: AbortSignal; isSelf?: () => boolean } = {},
) {
  return resolveDestination(destinationOf(url), {
    resolver,
    addressPolicy: options.addressPolicy ?? nothingGranted,
    clock: fakeClock(),
    signal: options.signal ?? new AbortController().signal,
    ...(options.isSelf === undefined ? {} : { isSelf: options.isSelf }),
  });
}

function answering(...answers: readonly unknown[]): Resolver {
  return async () => answers as string[];
}

const never: Resolver = () => new Promise(() => {});

describe("a name", () => {
  test("is looked up once, and its addresses keep their order", async () => {
    let asked = 0;
    const result = await resolve("http://api.example/", async (name) => {
      asked += 1;
      expect(name).toBe("api.example");
      return ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "93.184.215.14"];
    });
    expect(asked).toBe(1);
    expect(result).toMatchObject({
      ok: true,
      value: {
        addresses: [{ text: "93.184.215.14" }, { text: "2606:2800:21f:cb07:6820:80da:af6b:8b2c" }],
        answers: ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "93.184.215.14"],
      },
    });
  });

  test("that leads to a mapped address leads to the IPv4 address", async () => {
    const result = await resolve("http://api.example/", answering("::ffff:93.184.215.14"));
    expect(result).toMatchObject({ ok: true, value: { addresses: [{ family: 4, text: "93.184.215.14" }] } });
  });

  test.each([
    ["::ffff:127.0.0.1", "127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "127.0.0.1", "loopback"],
    ["127.0.0.1", "127.0.0.1", "loopback"],
    ["10.1.2.3", "10.1.2.3", "private"],
    ["169.254.169.254", "169.254.169.254", "cloud_metadata"],
    ["::1", "::1", "loopback"],
    ["0.0.0.0", "0.0.0.0", "unspecified"],
    ["64:ff9b::7f00:1", "64:ff9b::7f00:1", "embedded_ipv4"],
  ])("is refused when an answer is %s, wherever it stands", async (answer, address, range) => {
    const error = { reason: "address_forbidden", stage: "address", kind: "denial", address, range };
    for (const answers of [[answer], ["93.184.215.14", answer], [answer, "93.184.215.14"]]) {
      expect(await resolve("http://api.example/", answering(...answers))).toMatchObject({ ok: false, error });
    }
  });

  test.each([
    ["127.1", "reserved"],
    ["2130706433", "reserved"],
    ["0x7f000001", "reserved"],
    ["0177.0.0.1", "reserved"],
    ["localhost", "reserved"],
    ["127.0.0.1 ", "reserved"],
    ["127.0.0.1\u0000", "reserved"],
    ["", "reserved"],
    ["::1%1", "loopback"],
    ["fe80::1%lo", "link_local"],
    ["93.184.215.14%lo", "reserved"],
    [7, "reserved"],
    [null, "reserved"],
    [["127.0.0.1"], "reserved"],
  ])("is refused when an answer is %j, even if everything is granted", async (answer, range) => {
    for (const addressPolicy of [everything, loopbackGranted, nothingGranted]) {
      const result = await resolve("http://api.example/", answering("93.184.215.14", answer), {
        addressPolicy,
      });
      expect(result).toMatchObject({ ok: false, error: { reason: "address_forbidden", range } });
    }
  });

  test("may lead to what is granted", async () => {
    const result = await resolve("http://api.example/", answering("127.0.0.1", "::1"), {
      addressPolicy: loopbackGranted,
    });
    expect(result).toMatchObject({
      ok: true,
      value: { addresses: [{ text: "127.0.0.1" }, { text: "::1" }] },
    });
  });

  test("may not lead to a public address of this very machine", async () => {
    const result = await resolve("http://api.example/", answering("93.184.215.14"), { isSelf: () => true });
    expect(result).toMatchObject({ ok: false, error: { reason: "address_forbidden", range: "self" } });
  });

  test("without an address has none", async () => {
    expect(await resolve("http://api.example/", answering())).toMatchObject({
      ok: false,
      error: { reason: "dns_no_address" },
    });
  });

  test("with more addresses than an honest name has is refused, not cut", async () => {
    const answers = Array.from({ length: bounds.answersMax + 1 }, (_, index) => `93.184.215.${index}`);
    expect(await resolve("http://api.example/", answering(...answers))).toMatchObject({
      ok: false,
      error: { reason: "dns_failed" },
    });
    expect(await resolve("http://api.example/", answering(...answers.slice(1)))).toMatchObject({ ok: true });
  });
});

describe("an IP literal", () => {
  test.each([
    ["http://127.0.0.1/", "loopback"],
    ["http://[::1]/", "loopback"],
    ["http://[::ffff:127.0.0.1]/", "loopback"],
    ["http://0x7f.1/", "loopback"],
    ["http://0.0.0.0/", "unspecified"],
    ["http://10.0.0.1/", "private"],
  ])("%s is vetted like an answer, without a look-up", async (url, range) => {
    const result = await resolve(url, () => {
      throw new Error("asked");
    });
    expect(result).toMatchObject({ ok: false, error: { reason: "address_forbidden", range } });
  });

  test("that is public is its own answer", async () => {
    const result = await resolve("http://93.184.215.14/", never);
    expect(result).toMatchObject({
      ok: true,
      value: { addresses: [{ text: "93.184.215.14" }], answers: [], dnsMs: 0 },
    });
  });
});

describe("a resolver that fails", () => {
  test.each([
    ["ENOTFOUND", "dns_not_found"],
    ["EAI_AGAIN", "dns_failed"],
  ])("with %s gives %s", async (code, reason) => {
    const failure = Object.assign(new Error(code), { code });
    const rejecting: Resolver = () => Promise.reject(failure);
    const throwing: Resolver = () => {
      throw failure;
    };
    for (const resolver of [rejecting, throwing]) {
      expect(await resolve("http://api.example/", resolver)).toMatchObject({ ok: false, error: { reason } });
    }
  });

  test.each([[undefined], [null], ["93.184.215.14"], [{ length: 1 }]])(
    "by returning %j is a failed look-up",
    async (returned) => {
      const resolver = (async () => returned) as unknown as Resolver;
      expect(await resolve("http://api.example/", resolver)).toMatchObject({
        ok: false,
        error: { reason: "dns_failed" },
      });
    },
  );

  test("by never answering is given up in time, and told so", async () => {
    const clock = fakeClock();
    let abandoned = false;
    const result = resolveDestination(destinationOf("http://api.example/"), {
      resolver: (_name, { signal }) => {
        signal.addEventListener("abort", () => {
          abandoned = true;
        });
        return new Promise(() => {});
      },
      addressPolicy: nothingGranted,
      clock,
      signal: new AbortController().signal,
    });
    clock.advance(bounds.dnsTimeoutMs);
    expect(await result).toMatchObject({ ok: false, error: { reason: "dns_timeout" } });
    expect(abandoned).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  test("after it was given up disturbs nobody", async () => {
    const controller = new AbortController();
    let reject: (error: Error) => void = () => {};
    const result = resolve("http://api.example/", () => new Promise((_, fail) => (reject = fail)), {
      signal: controller.signal,
    });
    const denial = denialOf("run_deadline_exceeded");
    controller.abort(denial);
    expect(await result).toEqual({ ok: false, error: denial });
    reject(new Error("late"));
    await new Promise((resolve) => setImmediate(resolve));
  });
});

test("nothing is asked when the signal has aborted already", async () => {
  const denial = denialOf("request_timeout");
  const result = await resolve(
    "http://api.example/",
    () => {
      throw new Error("asked");
    },
    { signal: AbortSignal.abort(denial) },
  );
  expect(result).toEqual({ ok: false, error: denial });
});

describe("resolvers", () => {
  const { signal } = new AbortController();

  test("a static resolver answers its own names and passes on the others", async () => {
    const resolver = staticResolver({ "API.example.": ["10.0.0.1"], empty: [] }, async (name) => [
      `asked ${name}`,
    ]);
    expect(await resolver("api.example", { signal })).toEqual(["10.0.0.1"]);
    expect(await resolver("empty", { signal })).toEqual([]);
    expect(await resolver("other.example", { signal })).toEqual(["asked other.example"]);
    expect(await resolver("toString", { signal })).toEqual(["asked toString"]);
    expect(await resolver("__proto__", { signal })).toEqual(["asked __proto__"]);
  });

  test("the system resolver knows the names of this machine, and says when there is none", async () => {
    expect(await systemResolver("localhost", { signal })).toContain("127.0.0.1");
    await expect(systemResolver("no-such-name.invalid", { signal })).rejects.toHaveProperty("code");
  });
});
