// Host-side code through the same gate as the guests: the shape of `fetch`, the rules of a policy.
// It must never follow a redirect, decompress a body or add a header by itself, nor keep a permit for a response that
// nobody reads.
import { bounds } from "./core/bounds.ts";
import { reasonTable } from "./core/reason.ts";
import { EgressError } from "./core/sallyport-error.ts";
import { denialOf } from "./egress/denial.ts";
import type { Denial, HeaderField, OpenResponse } from "./egress/message.ts";
import { isBodyless } from "./egress/open-response.ts";
import type { FetchHeaders, FetchOptions } from "./fetch-options.ts";
import { checkFetchOptions, checkLimitWait } from "./options.ts";
import { openOutgoingBody } from "./request-body.ts";
import type { Session, SessionParts } from "./session.ts";
import { openSession } from "./session.ts";

/** Makes one request in a guest's name. `register` tells the sandbox of the session, so that closing it ends it. */
export async function fetchThroughGate(
  parts: SessionParts,
  url: string | URL,
  options: FetchOptions,
  register: (session: Session) => () => void,
): Promise<Response> {
  checkFetchOptions(options);
  const { redirect = "follow", method = "GET", policy, onRequest } = options;
  const signal = options.signal ?? new AbortController().signal;
  const outgoing = openOutgoingBody(options.body);
  const asked = { url: String(url), method, headers: headerFields(options.headers), body: outgoing.body };
  let open: OpenResponse | undefined;

  const session = await openSession(parts, {
    guest: options.guest,
    policy,
    redirects: redirect === "follow" ? "follow" : "return",
    kind: "fetch",
    limitWaitMs: checkLimitWait(options.limitWaitMs),
    // INVARIANT (permit follows response): a response that nobody reads ends with its deadline, and so does its permit.
    onRequest: (summary) => {
      void finish();
      return onRequest?.(summary);
    },
  });
  const unregister = register(session);
  async function finish(): Promise<void> {
    open?.close();
    outgoing.cancel();
    unregister();
    await session.end(session.signal.aborted ? "aborted" : "ok");
  }

  try {
    const outcome = await session.gate.request(asked, { signal });
    if (outcome.kind === "refused") throw egressError(outcome.denial);
    open = outcome.response;
    if (redirect === "error" && open.status >= 300 && open.status < 400) {
      throw egressError(denialOf("guest_cancelled", "a redirect came, and `redirect` is `error`"));
    }
    return webResponse(open, method, signal, finish);
  } catch (fault) {
    await finish();
    if (signal.aborted) throw signal.reason;
    throw outgoing.fault() ?? fault;
  }
}

function webResponse(
  response: OpenResponse,
  method: string,
  signal: AbortSignal,
  finish: () => Promise<void>,
): Response {
  const headers = response.headers.map(([name, value]): [string, string] => [name, value]);
  const { status } = response;
  // For 205, too, the fetch standard forbids a body, even an empty stream.
  if (status === 205 || isBodyless(method, response)) {
    void finish();
    return new Response(null, { status, headers });
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await response.read(bounds.readBytesMax);
        if (chunk.ok && chunk.value.byteLength > 0) return controller.enqueue(chunk.value);
        await finish();
        if (chunk.ok) controller.close();
        else controller.error(signal.aborted ? signal.reason : egressError(chunk.error));
      },
      cancel: finish,
    },
    // Nothing is read before somebody asks: the server's window is the only buffer.
    { highWaterMark: 0 },
  );
  return new Response(stream, { status, headers });
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
