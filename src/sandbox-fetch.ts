// Host-side code through the same gate as the guests: the shape of `fetch`, the rules of a policy.
// It must never follow a redirect, decompress a body or add a header by itself.
import { bounds } from "./core/bounds.ts";
import { joinBytes } from "./core/join-bytes.ts";
import { reasonTable } from "./core/reason.ts";
import { EgressError, SallyportError } from "./core/sallyport-error.ts";
import type { Denial, HeaderField, OpenResponse } from "./egress/message.ts";
import type { RequestSummary } from "./egress/record.ts";
import type { LivePolicy } from "./load-policy.ts";
import { checkLimitWait } from "./options.ts";
import type { Policy } from "./policy/policy.ts";
import type { Session, SessionParts } from "./session.ts";
import { openSession } from "./session.ts";

/** Headers as `fetch` takes them. A list keeps repeats and spelling. */
export type FetchHeaders =
  | Headers
  | Readonly<Record<string, string>>
  | readonly (readonly [string, string])[];

/** What `sandbox.fetch` takes beside the URL. */
export interface FetchOptions {
  /** In whose name: limits and connections are this guest's. */
  readonly guest: string;
  readonly policy: Policy | LivePolicy;
  /** Default `GET`; sent exactly as written. */
  readonly method?: string;
  readonly headers?: FetchHeaders;
  /** Read to its end before anything is sent; limited by `requestBody`. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** Where the rule is silent: `follow` (default), `manual` (the 3xx is returned) or `error`. */
  readonly redirect?: "follow" | "manual" | "error";
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for a rate or for another response to close; default 0: the request fails at once. */
  readonly limitWaitMs?: number;
  readonly onRequest?: (summary: RequestSummary) => void;
}

/** Makes one request in a guest's name. */
export async function fetchThroughGate(
  parts: SessionParts,
  url: string | URL,
  options: FetchOptions,
  register: (session: Session) => () => void,
): Promise<Response> {
  const { redirect = "follow", method = "GET", policy } = options;
  const current = "current" in policy ? policy.current : policy;
  const body = await bodyBytes(options.body, current.limits.requestBodyBytes);
  const session = await openSession(parts, {
    guest: options.guest,
    policy,
    redirects: redirect === "follow" ? "follow" : "return",
    kind: "fetch",
    limitWaitMs: checkLimitWait(options.limitWaitMs),
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
  });
  const unregister = register(session);
  const finish = async (): Promise<void> => {
    unregister();
    await session.end("ok");
  };
  const outcome = await session.gate.request(
    { url: String(url), method, headers: headerFields(options.headers), body },
    { signal: options.signal ?? new AbortController().signal },
  );
  if (outcome.kind === "refused") {
    await finish();
    if (options.signal?.aborted) throw options.signal.reason;
    throw egressError(outcome.denial);
  }
  const { response } = outcome;
  if (redirect === "error" && response.status >= 300 && response.status < 400) {
    response.close();
    await finish();
    throw new EgressError("a redirect came, and init.redirect is `error`", {
      reason: "redirect_limit_exceeded",
      stage: "redirect",
    });
  }
  return webResponse(response, finish);
}

// Statuses for which the fetch standard forbids a body, even an empty stream.
const nullBodyStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

function webResponse(response: OpenResponse, finish: () => Promise<void>): Response {
  const headers = response.headers.map(([name, value]): [string, string] => [name, value]);
  if (nullBodyStatuses.has(response.status)) {
    response.close();
    void finish();
    return new Response(null, { status: response.status, headers });
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await response.read(bounds.readBytesMax);
        if (chunk.ok && chunk.value.byteLength > 0) {
          controller.enqueue(chunk.value);
          return;
        }
        response.close();
        await finish();
        if (chunk.ok) controller.close();
        else controller.error(egressError(chunk.error));
      },
      async cancel() {
        response.close();
        await finish();
      },
    },
    // Nothing is read before somebody asks: the server's window is the only buffer.
    { highWaterMark: 0 },
  );
  return new Response(stream, { status: response.status, headers });
}

function egressError(denial: Denial): EgressError {
  const { reason, stage, rule, address, range, detail } = denial;
  const where = address === undefined ? "" : ` (${address} is ${String(range)})`;
  return new EgressError(
    `${reason}: ${reasonTable[reason].sentence}${where}${detail === undefined ? "" : `: ${detail}`}`,
    {
      reason,
      stage,
      ...(rule === undefined ? {} : { rule }),
      ...(address === undefined ? {} : { address }),
      ...(range === undefined ? {} : { range }),
    },
  );
}

function headerFields(init: FetchHeaders | undefined): readonly HeaderField[] {
  if (init === undefined) return [];
  // The Headers class would join repeats and lower-case names: a list and a record go as they are.
  const fields: Iterable<readonly [string, string]> = Symbol.iterator in init ? init : Object.entries(init);
  return [...fields].map(([name, value]): HeaderField => [name, value]);
}

async function bodyBytes(body: FetchOptions["body"], bytesMax: number): Promise<Uint8Array | undefined> {
  if (body === undefined) return undefined;
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (!(body instanceof ReadableStream)) {
    throw new SallyportError("option_invalid", "body: write a string, a Uint8Array or a ReadableStream");
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.byteLength;
    // One byte over is enough for the gate to refuse it; the rest is not read.
    if (length > bytesMax) break;
  }
  return joinBytes(chunks);
}
