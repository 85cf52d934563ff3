// One hop from its URL to its last byte, without policy and gate: what the wire parts do with a hostile server.
// Also watches that nothing on the way is thrown past everybody.
import { expect } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Resolver, resolveDestination } from "../../src/egress/resolve.ts";
import { makeAddressPolicy } from "../../src/policy/addresses.ts";
import type { AddressPolicy } from "../../src/policy/policy.ts";
import { destinationOf } from "./arbitraries.ts";
import { openWire, readAll } from "./wire.ts";

/** Lets a test reach its own servers. */
export const loopbackGranted = makeAddressPolicy(false, [{ kind: "name", name: "loopback" }], []);
const here: Resolver = async () => ["127.0.0.1"];

/** How the way differs from the ordinary one. */
export interface Journey {
  readonly resolver?: Resolver;
  readonly addressPolicy?: AddressPolicy;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly ca?: readonly string[];
  readonly method?: string;
  readonly responseBodyBytesMax?: number;
}

/**
 * The whole way of one hop below the gate: resolve, dial, send, read. Ends in `200 body` or in a reason; says also
 * whether a socket is left when the pool should hold none.
 */
export async function journey(url: string, options: Journey = {}): Promise<string> {
  const { clock = systemClock, signal = new AbortController().signal, method = "GET", ca } = options;
  const destination = destinationOf(url);
  const wire = openWire({ clock, ...(ca === undefined ? {} : { ca }) });
  const resolved = await resolveDestination(destination, {
    resolver: options.resolver ?? here,
    addressPolicy: options.addressPolicy ?? loopbackGranted,
    clock,
    signal,
  });
  if (!resolved.ok) return resolved.error.reason;
  const opened = await wire.pool.open("key", destination, resolved.value.addresses, { signal });
  if (!opened.ok) return `${opened.error.reason}${left(wire.pool.sockets)}`;
  const sent = await opened.value.send(
    { method, destination, headers: [] },
    { clock, signal, responseBodyBytesMax: options.responseBodyBytesMax ?? 1_000_000 },
  );
  if (!sent.ok) return `${sent.error.reason}${left(wire.pool.sockets)}`;
  const { bytes, reason } = await readAll(sent.value);
  if (reason !== undefined) return `${sent.value.status} ${reason}${left(wire.pool.sockets)}`;
  wire.pool.destroy();
  return `${sent.value.status} ${bytes.toString("latin1")}`;
}

function left(sockets: number): string {
  return sockets === 0 ? "" : `, and ${sockets} sockets left`;
}

const strays: unknown[] = [];
process.on("unhandledRejection", (error) => strays.push(error));
process.on("uncaughtException", (error) => strays.push(error));

/** Fails when an error was thrown or a rejection left where nobody was listening. */
export function expectNoStrays(): void {
  expect(strays).toEqual([]);
}
