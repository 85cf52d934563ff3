// Dials a vetted address and, for https, proves the name. The only file that opens a socket.
// It must never look a name up, follow the environment (proxies, NODE_TLS_REJECT_UNAUTHORIZED), or hand out a socket
// whose other end is not the address that was vetted.

import { X509Certificate } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import {
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { bounds } from "../core/bounds.ts";
import type { Clock } from "../core/clock.ts";
import type { Reason } from "../core/reason.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { classifyAddress } from "../url/address-range.ts";
import type { Destination } from "../url/destination.ts";
import type { IpAddress } from "../url/ip-address.ts";
import { parseIp } from "../url/ip-address.ts";
import { denialOf, denialOfSignal } from "./denial.ts";
import type { Denial } from "./message.ts";
import { invalidAuthorityCode, type WireStep, wireFault } from "./wire-fault.ts";

/** A connected socket whose other end is a vetted address and, for https, who the destination says. */
export interface Dialled {
  readonly socket: Socket;
  readonly peer: IpAddress;
  /** Milliseconds from the first dial on, failed addresses included. */
  readonly connectMs: number;
  /** Milliseconds of the handshake; https only. */
  readonly tlsMs?: number;
  /** `TLSv1.2` or `TLSv1.3`; https only. */
  readonly tlsVersion?: string;
}

/** What dialling stands on. */
export interface ConnectParts {
  /** Certificate authorities in PEM form that are trusted besides the usual ones. */
  readonly ca?: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Dials the addresses one after the other until one accepts. Never rejects; on failure no socket is left. */
export async function connectVetted(
  destination: Destination,
  addresses: readonly IpAddress[],
  parts: ConnectParts,
): Promise<Result<Dialled, Denial>> {
  const startMs = parts.clock.monotonicMs();
  const failures: Denial[] = [];
  for (const address of addresses.slice(0, bounds.dialsMax)) {
    const dialled = await dial(address, destination.port, parts);
    if (!dialled.ok) {
      failures.push(dialled.error);
      if (nextAddressReasons.has(dialled.error.reason)) continue;
      return dialled;
    }
    const connectMs = parts.clock.monotonicMs() - startMs;
    const raw = dialled.value;
    if (destination.scheme === "http") return ok({ socket: raw, peer: address, connectMs });
    const secured = await secure(raw, destination, parts);
    // No other address after a failed handshake: who answered is not who was asked for.
    if (!secured.ok) return secured;
    const tlsMs = parts.clock.monotonicMs() - startMs - connectMs;
    const tlsVersion = secured.value.getProtocol();
    return ok({
      socket: secured.value,
      peer: address,
      connectMs,
      tlsMs,
      ...(tlsVersion === null ? {} : { tlsVersion }),
    });
  }
  return err(mostTelling(failures));
}

// Only what says that this one address cannot be reached; anything else would fail at the next one, too.
const nextAddressReasons: ReadonlySet<Reason> = new Set([
  "connection_refused",
  "connection_reset",
  "connect_timeout",
  "network_unreachable",
]);

// A machine without IPv6 cannot reach half of the addresses, which tells nothing about the server.
function mostTelling(failures: readonly Denial[]): Denial {
  const telling = failures.find(({ reason }) => reason !== "network_unreachable");
  return telling ?? failures[0] ?? denialOf("dns_no_address", "no address to dial");
}

function dial(
  address: IpAddress,
  port: number,
  { clock, signal }: ConnectParts,
): Promise<Result<Socket, Denial>> {
  return settleSocket<Socket>({
    signal,
    step: () => "connect",
    start: () =>
      connectTcp({
        host: address.text,
        port,
        // Never asked for a literal. If it ever were, two look-ups would be a way around the vetting.
        lookup: (_name, _options, callback) => callback(new Error("unexpected look-up"), "", 0),
        autoSelectFamily: false,
        noDelay: true,
      }),
    event: "connect",
    accept(socket) {
      // INVARIANT (peer is vetted): no byte goes to another address than the vetted one. Linux, for one, connects
      // 0.0.0.0 to the loopback address.
      const peer = socket.remoteAddress === undefined ? undefined : parseIp(socket.remoteAddress);
      if (peer?.text === address.text && socket.remotePort === port) return ok(socket);
      return err(otherPeer(address, peer));
    },
    timer: (expire) =>
      clock.schedule(bounds.connectTimeoutMs, () =>
        expire(denialOf("connect_timeout", `${address.text} was silent for ${bounds.connectTimeoutMs} ms`)),
      ),
  });
}

function otherPeer(dialled: IpAddress, peer: IpAddress | undefined): Denial {
  const denial = denialOf("address_forbidden", `dialled ${dialled.text} and reached another address`);
  if (peer === undefined) return denial;
  const range = classifyAddress(peer);
  return { ...denial, address: peer.text, ...(range === "public" ? {} : { range }) };
}

function secure(
  raw: Socket,
  destination: Destination,
  { ca, clock, signal }: ConnectParts,
): Promise<Result<TLSSocket, Denial>> {
  const { host, hostText } = destination;
  let tls: TLSSocket | undefined;
  return settleSocket<TLSSocket>({
    signal,
    step: () => (tls?.authorizationError ? "certificate" : "tls"),
    start: () => {
      tls = connectTls({
        socket: raw,
        // Whom the certificate must name: the destination, never what a header says. An address is no server name
        // (RFC 6066 section 3), so it is checked and not sent.
        host: hostText,
        ...(host.kind === "name" ? { servername: host.name } : {}),
        secureContext: trustFor(ca),
        // Said in so many words, since NODE_TLS_REJECT_UNAUTHORIZED only changes the default.
        rejectUnauthorized: true,
        ALPNProtocols: ["http/1.1"],
      });
      return tls;
    },
    event: "secureConnect",
    accept: (socket) => (socket.authorized ? ok(socket) : err(denialOf("tls_certificate_invalid"))),
    abandon: () => raw.destroy(),
    timer: (expire) =>
      clock.schedule(bounds.tlsTimeoutMs, () =>
        expire(denialOf("tls_timeout", `no handshake within ${bounds.tlsTimeoutMs} ms`)),
      ),
  });
}

const trusts = new WeakMap<readonly string[], SecureContext>();
let usualTrust: SecureContext | undefined;

/**
 * What servers are trusted by: the usual authorities and `ca`, whose entries may hold several certificates. Made once
 * for each list, since it takes milliseconds. Throws when an entry holds something that is no certificate.
 */
export function trustFor(ca: readonly string[] | undefined): SecureContext {
  const options = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" } as const;
  if (ca === undefined || ca.length === 0) {
    usualTrust ??= createSecureContext(options);
    return usualTrust;
  }
  const known = trusts.get(ca);
  if (known !== undefined) return known;
  for (const pem of ca) checkCertificates(pem);
  const trust = createSecureContext({ ...options, ca: [...getCACertificates("default"), ...ca] });
  trusts.set(ca, trust);
  return trust;
}

// OpenSSL passes over what it cannot read, and the embedder would wonder why nothing is trusted.
function checkCertificates(pem: string): void {
  try {
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [""];
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (cause) {
    throw Object.assign(new Error("not a certificate in PEM form", { cause }), {
      code: invalidAuthorityCode,
    });
  }
}

interface SocketWait<Kind extends Socket> {
  readonly signal: AbortSignal;
  /** Where an error belongs. */
  readonly step: () => WireStep;
  readonly start: () => Kind;
  readonly event: "connect" | "secureConnect";
  readonly accept: (socket: Kind) => Result<Kind, Denial>;
  /** What to drop besides the socket when it fails. */
  readonly abandon?: () => void;
  readonly timer: (expire: (denial: Denial) => void) => () => void;
}

// Waits for a socket's event, its failure, its timeout or an abort: whichever comes first settles, once.
function settleSocket<Kind extends Socket>(wait: SocketWait<Kind>): Promise<Result<Kind, Denial>> {
  const { signal } = wait;
  return new Promise((resolve) => {
    let socket: Kind | undefined;
    let cancelTimer = (): void => {};
    let settled = false;
    const settle = (result: Result<Kind, Denial>): void => {
      if (settled) return;
      settled = true;
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      if (!result.ok) {
        socket?.destroy();
        wait.abandon?.();
      }
      resolve(result);
    };
    const onAbort = (): void => settle(err(denialOfSignal(signal)));
    if (signal.aborted) {
      onAbort();
      return;
    }
    try {
      const started = wait.start();
      socket = started;
      // INVARIANT (an error has a listener): stays for the socket's whole life, whoever uses it later.
      started.on("error", (error) => settle(err(wireFault(error, wait.step()))));
      started.once("close", () => settle(err(denialOf("connection_closed"))));
      started.once(wait.event, () => settle(wait.accept(started)));
      signal.addEventListener("abort", onAbort);
      cancelTimer = wait.timer((denial) => settle(err(denial)));
    } catch (error) {
      settle(err(wireFault(error, wait.step())));
    }
  });
}
