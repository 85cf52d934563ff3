// The connections of one guest under one policy generation: dials, keeps idle ones for a short while, closes all.
// It must never be shared between guests, nor keep a connection beyond its age, since its name may lead elsewhere by then.

import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Destination } from "../url/destination.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { connectVetted } from "./connect.ts";
import { type Connection, openConnection } from "./connection.ts";
import { denialOf, denialOfSignal } from "./denial.ts";
import type { Denial } from "./message.ts";

/** Opens connections and keeps idle ones. */
export interface ConnectionPool {
  /** An idle connection that was opened under the same key, or `undefined`. */
  take(key: string): Connection | undefined;
  /**
   * Dials vetted addresses. `key` says for whom the connection may be used again: equal keys must mean the same
   * origin and the same treatment of addresses. Never rejects.
   */
  open(
    key: string,
    destination: Destination,
    addresses: readonly IpAddress[],
    options: { readonly signal: AbortSignal },
  ): Promise<Result<Connection, Denial>>;
  /** Closes idle connections now and busy ones when their response is complete. */
  retire(): void;
  /** Closes every connection now; requests under way end with `shutting_down`. */
  destroy(): void;
  /** Sockets that are open or being opened. */
  readonly sockets: number;
}

interface Idle {
  readonly key: string;
  readonly connection: Connection;
  readonly cancelTimer: () => void;
}

/** Opens an empty pool. `ca` are certificate authorities in PEM form that are trusted besides the usual ones. */
export function openConnectionPool(options: {
  readonly ca?: readonly string[];
  readonly clock: Clock;
}): ConnectionPool {
  const { clock, ca } = options;
  const dials = new Set<AbortController>();
  const live = new Set<Connection>();
  // In the order in which they became idle.
  const idle = new Set<Idle>();
  let keeping = true;
  let open = true;

  function take(key: string): Connection | undefined {
    // The one that was used last: it is the least likely to be closed by its server at this moment.
    const found = [...idle].findLast((entry) => entry.key === key);
    if (found !== undefined) forget(found);
    return found?.connection;
  }

  function forget(entry: Idle): void {
    idle.delete(entry);
    entry.cancelTimer();
  }

  function drop(entry: Idle): void {
    forget(entry);
    entry.connection.destroy();
  }

  function keep(key: string, connection: Connection, openedMs: number, keepMs: number): void {
    const ageLeftMs = openedMs + bounds.connectionAgeMsMax - clock.monotonicMs();
    if (!keeping || ageLeftMs <= 0) {
      connection.destroy();
      return;
    }
    const [oldest] = idle;
    if (idle.size >= bounds.idleConnectionsMax && oldest !== undefined) drop(oldest);
    const entry: Idle = {
      key,
      connection,
      cancelTimer: clock.schedule(Math.min(keepMs, ageLeftMs), () => drop(entry), { idle: true }),
    };
    idle.add(entry);
  }

  async function dial(
    key: string,
    destination: Destination,
    addresses: readonly IpAddress[],
    signal: AbortSignal,
  ): Promise<Result<Connection, Denial>> {
    if (!open) return err(denialOf("shutting_down"));
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(denialOfSignal(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    dials.add(abort);
    const parts = { clock, signal: abort.signal, ...(ca === undefined ? {} : { ca }) };
    const dialled = await connectVetted(destination, addresses, parts);
    dials.delete(abort);
    signal.removeEventListener("abort", onAbort);
    if (!dialled.ok) return dialled;
    // What came between the last event of the socket and this line would be seen by nobody.
    const { socket } = dialled.value;
    if (abort.signal.aborted || socket.destroyed) {
      socket.destroy();
      return err(abort.signal.aborted ? denialOfSignal(abort.signal) : denialOf("connection_closed"));
    }
    const openedMs = clock.monotonicMs();
    const connection: Connection = openConnection(dialled.value, destination, {
      onFree: (keepMs) => keep(key, connection, openedMs, keepMs),
      onClosed() {
        live.delete(connection);
        for (const entry of idle) if (entry.connection === connection) forget(entry);
      },
    });
    live.add(connection);
    return ok(connection);
  }

  function retire(): void {
    keeping = false;
    for (const entry of [...idle]) drop(entry);
  }

  return {
    take,
    open: (key, destination, addresses, { signal }) => dial(key, destination, addresses, signal),
    retire,
    destroy() {
      open = false;
      retire();
      for (const abort of dials) abort.abort(denialOf("shutting_down"));
      for (const connection of [...live]) connection.destroy();
    },
    get sockets() {
      return dials.size + live.size;
    },
  };
}
