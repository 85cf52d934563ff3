// The address ranges that have a name in the policy language. Metadata addresses lie within some of them and are
// granted by none (addresses.ts).

import { assert } from "../core/assert.ts";
import { type Cidr, parseCidr } from "../url/ip-address.ts";
import type { AddressGrantName } from "./policy.ts";

function ranges(...texts: readonly string[]): readonly Cidr[] {
  return texts.map((text) => {
    const cidr = parseCidr(text);
    assert(cidr.ok, `${text} is a range`);
    return cidr.value;
  });
}

/** What each name stands for. */
export const namedRanges: Readonly<Record<AddressGrantName, readonly Cidr[]>> = {
  loopback: ranges("127.0.0.0/8", "::1/128"), // RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3
  private: ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"), // RFC 1918
  link_local: ranges("169.254.0.0/16", "fe80::/10"), // RFC 3927, RFC 4291 section 2.5.6
  unique_local: ranges("fc00::/7"), // RFC 4193
  cgnat: ranges("100.64.0.0/10"), // RFC 6598
};
