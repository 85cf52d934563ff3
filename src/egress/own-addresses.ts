// Which addresses are this very machine's, so that a guest cannot come back in by the front door.
// It must never be the only check: it matters only for addresses that are public and ours.
import { networkInterfaces } from "node:os";
import type { Clock } from "../core/clock.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { parseIp } from "../url/ip-address.ts";

// Interfaces change seldom, and asking the kernel costs some 50 microseconds.
const refreshMs = 5_000;

/** Tells whether an address belongs to one of this machine's interfaces, as of the last five seconds. */
export function ownAddresses(clock: Clock): (ip: IpAddress) => boolean {
  let known = new Set<string>();
  let readMs = Number.NEGATIVE_INFINITY;
  return (ip) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - readMs > refreshMs) {
      const found = new Set<string>();
      for (const addresses of Object.values(networkInterfaces())) {
        for (const { address } of addresses ?? []) {
          const own = parseIp(address);
          if (own !== undefined) found.add(own.text);
        }
      }
      // Only now: an exception above must not pass for a machine without addresses.
      known = found;
      readMs = nowMs;
    }
    return known.has(ip.text);
  };
}
