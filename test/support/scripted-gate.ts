// A gate without a network behind it: it screens like the real one, answers from a list of routes, and counts.
// It stands in for servers and policy where only the guest's side is tested.

import { type Reason, reasonTable } from "../../src/core/reason.ts";
import { err, ok } from "../../src/core/result.ts";
import { screenMethod, screenRequestHeaders } from "../../src/egress/header-screen.ts";
import type { Denial, Gate, GuestRequest, OpenResponse, Outcome } from "../../src/egress/message.ts";
import { bodyLength } from "../../src/egress/request-stream.ts";
import { parseDestination } from "../../src/url/destination.ts";
import { allowedName, type HostileRoute, hostileRoutes } from "./hostile-programs.ts";

/** What a scripted gate saw and holds. */
export interface ScriptedGate extends Gate {
  /** Requests that passed, in order. */
  readonly passed: readonly GuestRequest[];
  /** How many were refused, for each reason. */
  readonly refused: ReadonlyMap<Reason, number>;
  /** Responses that were handed out and not closed. */
  readonly open: number;
  /** The most that were open at once. */
  readonly openMost: number;
  /** Why requests and reads under way were ended. */
  readonly aborted: readonly Denial[];
}

/** Opens a gate that allows `allowed.example` and at most `concurrent` open responses. */
export function openScriptedGate(
  options: {
    readonly concurrent?: number;
    readonly routes?: Readonly<Record<string, HostileRoute>>;
    /** Refuses everything with this. */
    readonly refuse?: Reason;
  } = {},
): ScriptedGate {
  const { concurrent = 8, routes = hostileRoutes } = options;
  const passed: GuestRequest[] = [];
  const refused = new Map<Reason, number>();
  const aborted: Denial[] = [];
  let open = 0;
  let openMost = 0;

  function refuse(reason: Reason): Outcome {
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
    return { kind: "refused", denial: denialOf(reason) };
  }

  function untilAborted(signal: AbortSignal): Promise<Denial> {
    return new Promise((resolve) => {
      const onAbort = (): void => {
        aborted.push(signal.reason as Denial);
        resolve(signal.reason as Denial);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  function respond(route: HostileRoute, signal: AbortSignal): OpenResponse {
    let closed = false;
    let at = 0;
    const body = Buffer.from(route.body);
    open += 1;
    openMost = Math.max(open, openMost);
    return {
      status: route.status,
      headers: route.headers,
      url: "",
      async read(bytesMax) {
        if (at === body.length && route.end === "stall") return err(await untilAborted(signal));
        if (at === body.length && route.end === "reset") return err(denialOf("connection_reset"));
        const chunk = body.subarray(at, Math.min(at + bytesMax, at + 65_536));
        at += chunk.length;
        return ok(chunk);
      },
      close() {
        if (!closed) open -= 1;
        closed = true;
      },
    };
  }

  async function request(
    asked: GuestRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    if (options.refuse !== undefined) return refuse(options.refuse);
    const parsed = parseDestination(asked.url);
    if (!parsed.ok) return refuse(parsed.error.reason);
    const method = screenMethod(asked.method);
    if (!method.ok) return refuse(method.error.reason);
    const bodyBytes = bodyLength(asked.body);
    const headers = screenRequestHeaders(asked.headers, { destination: parsed.value, bodyBytes });
    if (!headers.ok) return refuse(headers.error.reason);
    if (parsed.value.hostText !== allowedName) return refuse("host_not_allowed");
    if (open >= concurrent) return refuse("concurrency_exceeded");
    const route = routes[parsed.value.path];
    if (route === undefined) return refuse("path_not_allowed");
    passed.push(asked);
    if (route.status !== 0) return { kind: "response", response: respond(route, signal) };
    return { kind: "refused", denial: await untilAborted(signal) };
  }

  return {
    request,
    passed,
    refused,
    aborted,
    get open() {
      return open;
    },
    get openMost() {
      return openMost;
    },
  };
}

function denialOf(reason: Reason): Denial {
  const { stage, kind } = reasonTable[reason];
  return { reason, stage, kind };
}
