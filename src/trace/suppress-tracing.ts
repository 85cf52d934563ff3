// Keeps an embedder's own instrumentation out of what is sent for a guest. Never hides an exception of the sender, and
// never sends twice.

import { context, createContextKey } from "@opentelemetry/api";
import { attempt } from "./guarded-span.ts";

// The key of @opentelemetry/core's suppressTracing, which every SDK and instrumentation looks for. createContextKey
// is Symbol.for: the key is the same without a dependency on the SDK.
const suppressionKey = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

type Settled<Value> =
  | { readonly kind: "returned"; readonly value: Value }
  | { readonly kind: "threw"; readonly fault: unknown };

/**
 * Runs `action` so that an embedder's own HTTP instrumentation adds no span, no `traceparent` and, above all, none of
 * the embedder's baggage to what is sent to a stranger. Gives what `action` gives, and throws what it throws.
 */
export function suppressTracing<Value>(action: () => Value): Value {
  // The context manager is the embedder's: it may throw before the call, after it, or forget to call.
  let settled = undefined as Settled<Value> | undefined;
  attempt(() =>
    context.with(context.active().setValue(suppressionKey, true), () => {
      settled ??= settle(action);
    }),
  );
  settled ??= settle(action);
  if (settled.kind === "threw") throw settled.fault;
  return settled.value;
}

function settle<Value>(action: () => Value): Settled<Value> {
  try {
    return { kind: "returned", value: action() };
  } catch (fault) {
    return { kind: "threw", fault };
  }
}
