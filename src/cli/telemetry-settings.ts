// What the command line and the OTEL_* variables say about tracing. Loads no SDK.
// INVARIANT (no silent collector): tracing is off unless someone asked for it, and an endpoint that does not
// parse is a mistake; the exporter itself would quietly fall back to localhost:4318.
import { didYouMean } from "./closest.ts";
import type { Checked } from "./mistake.ts";
import { bad, good } from "./mistake.ts";
import { printable } from "./terminal.ts";

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Samplers that the environment may name. */
export type SamplerName =
  | "always_on"
  | "always_off"
  | "traceidratio"
  | "parentbased_always_on"
  | "parentbased_always_off"
  | "parentbased_traceidratio";

/** How spans are sent. */
export interface TelemetrySettings {
  readonly url: string;
  readonly sampler: SamplerName;
  /** For the ratio samplers, 0 to 1. */
  readonly samplerRatio: number;
  readonly scheduleDelayMs: number;
  readonly exportTimeoutMs: number;
  readonly queueSpansMax: number;
  readonly batchSpansMax: number;
  readonly attributeLengthMax: number;
  readonly attributesMax: number;
  /** `OTEL_LOG_LEVEL`, when the SDK's own messages were asked for. */
  readonly logLevel: string | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/** Settings, absent when nothing is to be exported, and what the user should hear about them. */
export interface TelemetryChoice {
  readonly settings?: TelemetrySettings;
  readonly warnings: readonly string[];
}

const samplerNames: readonly SamplerName[] = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
];

/** Reads the settings; `flag` is the value of --otlp-endpoint. */
export function readTelemetrySettings(
  environment: Environment,
  flag: string | undefined,
): Checked<TelemetryChoice> {
  const warnings: string[] = [];
  const read = (name: string): string | undefined => {
    // The specification: an empty variable is an unset one.
    const value = environment[name]?.trim();
    return value === undefined || value === "" ? undefined : value;
  };
  const off = (why: string): Checked<TelemetryChoice> =>
    good({ warnings: flag === undefined ? warnings : [`${why}: --otlp-endpoint has no effect`] });
  if (read("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return off("OTEL_SDK_DISABLED is true");
  const exporter = read("OTEL_TRACES_EXPORTER");
  if (exporter === "none") return off("OTEL_TRACES_EXPORTER is none");

  const endpoint = findEndpoint(read, flag);
  if (exporter !== undefined && exporter !== "otlp" && flag === undefined) {
    warnings.push(
      `OTEL_TRACES_EXPORTER=${printable(exporter)} is not known here (otlp, none): no spans are sent`,
    );
    return good({ warnings });
  }
  if (endpoint === undefined) return good({ warnings });
  const url = checkEndpoint(endpoint.text, endpoint.from, endpoint.isBase);
  if (!url.ok) return url;
  const protocol = read("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? read("OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol !== undefined && protocol !== "http/protobuf") {
    return bad(
      `OTEL_EXPORTER_OTLP_PROTOCOL=${printable(protocol)} is not supported`,
      "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, and the endpoint to the collector's HTTP port (usually 4318)",
    );
  }

  const number = (name: string, fallback: number, min: number): number => {
    const text = read(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= min) return value;
    warnings.push(`${name}=${printable(text)} is not a number from ${min} on: ${fallback} is used`);
    return fallback;
  };
  // Measured: a flush starts all batches at once, and the exporter drops what goes beyond 30 of them.
  const queueSpansMax = number("OTEL_BSP_MAX_QUEUE_SIZE", 8_192, 1);
  const batchSpansMax = Math.max(
    number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1_024, 1),
    Math.ceil(queueSpansMax / 30),
  );
  const { sampler, samplerRatio } = readSampler(read, warnings);
  return good({
    warnings,
    settings: {
      url: url.value,
      sampler,
      samplerRatio,
      scheduleDelayMs: number("OTEL_BSP_SCHEDULE_DELAY", 1_000, 0),
      exportTimeoutMs: number("OTEL_BSP_EXPORT_TIMEOUT", 30_000, 1),
      queueSpansMax,
      batchSpansMax: Math.min(batchSpansMax, queueSpansMax),
      attributeLengthMax: number(
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        number("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", 4_096, 1),
        1,
      ),
      attributesMax: number(
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        number("OTEL_ATTRIBUTE_COUNT_LIMIT", 128, 1),
        1,
      ),
      logLevel: read("OTEL_LOG_LEVEL")?.toLowerCase(),
      traceparent: read("TRACEPARENT"),
      tracestate: read("TRACESTATE"),
    },
  });
}

type Read = (name: string) => string | undefined;

function findEndpoint(
  read: Read,
  flag: string | undefined,
): { readonly text: string; readonly from: string; readonly isBase: boolean } | undefined {
  if (flag !== undefined) return { text: flag, from: "--otlp-endpoint", isBase: true };
  // The specification: the endpoint of one signal is used as it is, the common one gets the signal's path.
  const own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  const base = "OTEL_EXPORTER_OTLP_ENDPOINT";
  const ownText = read(own);
  if (ownText !== undefined) return { text: ownText, from: own, isBase: false };
  const baseText = read(base);
  if (baseText !== undefined) return { text: baseText, from: base, isBase: true };
  if (read("OTEL_TRACES_EXPORTER") !== "otlp") return undefined;
  return { text: "http://localhost:4318", from: "the default endpoint", isBase: true };
}

const tracesPath = "/v1/traces";

function checkEndpoint(text: string, from: string, isBase: boolean): Checked<string> {
  // Neither a password nor a token that someone put into the URL is repeated.
  const shown = printable(text.replace(/\/\/[^/]*@/, "//...@").replace(/[?#].*/s, ""));
  const example = `write it as http://localhost:4318`;
  if (!/^https?:\/\/[^/?#]+/i.test(text) || /\s/.test(text) || !URL.canParse(text)) {
    return bad(`${from} ${shown} is not a URL that spans can be sent to`, example);
  }
  if (/^https?:\/\/[^/?#]*@/i.test(text)) {
    return bad(
      `${from} ${shown} holds a user name or password`,
      "put credentials into OTEL_EXPORTER_OTLP_HEADERS, as in authorization=Basic%20...",
    );
  }
  if (!isBase) return good(text);
  if (/[?#]/.test(text)) return bad(`${from} ${shown} must not have a query or fragment`, example);
  const trimmed = text.replace(/\/+$/, "");
  return good(trimmed.endsWith(tracesPath) ? trimmed : `${trimmed}${tracesPath}`);
}

function readSampler(
  read: Read,
  warnings: string[],
): { readonly sampler: SamplerName; readonly samplerRatio: number } {
  const text = read("OTEL_TRACES_SAMPLER");
  const known = samplerNames.find((name) => name === text?.toLowerCase());
  if (text !== undefined && known === undefined) {
    warnings.push(
      `OTEL_TRACES_SAMPLER=${printable(text)} is not known${didYouMean(text, samplerNames)} ` +
        "(parentbased_always_on is used)",
    );
  }
  const sampler = known ?? "parentbased_always_on";
  if (!sampler.endsWith("traceidratio")) return { sampler, samplerRatio: 1 };
  const argument = read("OTEL_TRACES_SAMPLER_ARG");
  const ratio = Number(argument ?? "1");
  if (ratio >= 0 && ratio <= 1) return { sampler, samplerRatio: ratio };
  warnings.push(
    `OTEL_TRACES_SAMPLER_ARG=${printable(argument ?? "")} is not a number from 0 to 1: 1 is used`,
  );
  return { sampler, samplerRatio: 1 };
}
