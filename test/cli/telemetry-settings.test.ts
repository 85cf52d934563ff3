// When spans are sent, where to, and what is said about settings that cannot be meant.
import { describe, expect, test } from "vitest";
import { readTelemetrySettings } from "../../src/cli/telemetry-settings.ts";

function urlOf(environment: Record<string, string>, flag?: string): string | undefined {
  const read = readTelemetrySettings(environment, flag);
  if (!read.ok) throw new Error(read.mistakes[0]?.message);
  return read.value.settings?.url;
}

describe("spans are sent only when somebody asked for it", () => {
  test.each([
    ["nothing is set", {}, undefined, undefined],
    ["the flag is given", {}, "http://collector:4318", "http://collector:4318/v1/traces"],
    ["the flag has the whole path", {}, "http://collector:4318/v1/traces", "http://collector:4318/v1/traces"],
    ["the flag has a path", {}, "https://collector/otlp/", "https://collector/otlp/v1/traces"],
    [
      "the common endpoint is set",
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1" },
      undefined,
      "http://c:1/v1/traces",
    ],
    [
      "the traces endpoint is set",
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:1/x" },
      undefined,
      "http://c:1/x",
    ],
    [
      "both are set",
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:1", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://b:1/t" },
      undefined,
      "http://b:1/t",
    ],
    [
      "flag and variable",
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:1" },
      "http://b:1",
      "http://b:1/v1/traces",
    ],
    ["the exporter is named", { OTEL_TRACES_EXPORTER: "otlp" }, undefined, "http://localhost:4318/v1/traces"],
    [
      "the exporter is none",
      { OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:1" },
      undefined,
      undefined,
    ],
    [
      "the SDK is disabled",
      { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:1" },
      undefined,
      undefined,
    ],
    ["the SDK is disabled and the flag given", { OTEL_SDK_DISABLED: "TRUE" }, "http://a:1", undefined],
    ["an empty variable is an unset one", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, undefined, undefined],
    [
      "another exporter is named",
      { OTEL_TRACES_EXPORTER: "zipkin", OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:1" },
      undefined,
      undefined,
    ],
  ])("%s", (_name, environment, flag, url) => {
    expect(urlOf(environment, flag)).toBe(url);
  });

  test.each([
    [{ OTEL_SDK_DISABLED: "true" }, "http://a:1", "OTEL_SDK_DISABLED is true: --otlp-endpoint has no effect"],
    [
      { OTEL_TRACES_EXPORTER: "none" },
      "http://a:1",
      "OTEL_TRACES_EXPORTER is none: --otlp-endpoint has no effect",
    ],
    [
      { OTEL_TRACES_EXPORTER: "zipkin" },
      undefined,
      "OTEL_TRACES_EXPORTER=zipkin is not known here (otlp, none): no spans are sent",
    ],
    [
      { OTEL_BSP_MAX_QUEUE_SIZE: "many" },
      "http://a:1",
      "OTEL_BSP_MAX_QUEUE_SIZE=many is not a number from 1 on: 8192 is used",
    ],
    [
      { OTEL_TRACES_SAMPLER: "always_no" },
      "http://a:1",
      "OTEL_TRACES_SAMPLER=always_no is not known, did you mean always_on? (parentbased_always_on is used)",
    ],
    [
      { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
      "http://a:1",
      "OTEL_TRACES_SAMPLER_ARG=2 is not a number from 0 to 1: 1 is used",
    ],
  ])("%j is a warning", (environment, flag, warning) => {
    expect(readTelemetrySettings(environment, flag)).toMatchObject({
      ok: true,
      value: { warnings: [warning] },
    });
  });
});

describe("what would silently go to another place is a mistake", () => {
  test.each([
    ["not a url", "--otlp-endpoint not a url is not a URL that spans can be sent to"],
    ["localhost:4318", "--otlp-endpoint localhost:4318 is not a URL that spans can be sent to"],
    ["grpc://localhost:4317", "--otlp-endpoint grpc://localhost:4317 is not a URL that spans can be sent to"],
    ["http://", "--otlp-endpoint http:// is not a URL that spans can be sent to"],
    ["http://a:99999", "--otlp-endpoint http://a:99999 is not a URL that spans can be sent to"],
    ["http://me:secret@a:1", "--otlp-endpoint http://...@a:1 holds a user name or password"],
    ["http://a:1/?key=secret", "--otlp-endpoint http://a:1/ must not have a query or fragment"],
  ])("%s", (flag, message) => {
    const read = readTelemetrySettings({}, flag);
    expect(read).toMatchObject({ ok: false, mistakes: [{ message }] });
    expect(JSON.stringify(read)).not.toContain("secret");
  });

  test.each(["grpc", "http/json"])("protocol %s", (protocol) => {
    expect(readTelemetrySettings({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, "http://a:1")).toMatchObject({
      ok: false,
      mistakes: [{ message: `OTEL_EXPORTER_OTLP_PROTOCOL=${protocol} is not supported` }],
    });
  });

  test("a protocol without an exporter is nobody's mistake", () => {
    expect(readTelemetrySettings({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, undefined)).toEqual({
      ok: true,
      value: { warnings: [] },
    });
  });
});

test("a flush of the whole queue never needs more batches than the exporter sends at once", () => {
  const read = readTelemetrySettings(
    { OTEL_BSP_MAX_QUEUE_SIZE: "60000", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "512" },
    "http://a:1",
  );
  expect(read).toMatchObject({
    ok: true,
    value: { settings: { queueSpansMax: 60_000, batchSpansMax: 2_000 } },
  });
});
