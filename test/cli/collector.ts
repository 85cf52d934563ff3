// A collector for tests: takes spans over OTLP/HTTP and reads the few fields that tests look at. Can be made to fail.
import type { IncomingMessage } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One span as it came over the wire. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A listening collector. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Of the resource of every export, by key. */
  readonly resource: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
}

/** Starts a collector; `behaviour` is what it does with an export. */
export async function startCollector(behaviour: "take" | "hang" | number = "take"): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const resource: Record<string, string> = {};
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    void readBody(request).then((body) => {
      if (behaviour === "hang") return;
      if (behaviour !== "take") {
        response.writeHead(behaviour).end();
        return;
      }
      for (const resourceSpans of fields(body, 1)) {
        for (const described of fields(resourceSpans, 1)) Object.assign(resource, attributesOf(described, 1));
        for (const scope of fields(resourceSpans, 2)) spans.push(...fields(scope, 2).map(readSpan));
      }
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    resource,
    paths,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

// opentelemetry/proto/trace/v1/trace.proto: 1 trace_id, 4 parent_span_id, 5 name, 9 attributes.
function readSpan(span: Buffer): ReceivedSpan {
  const text = (field: number, encoding: BufferEncoding): string =>
    fields(span, field)[0]?.toString(encoding) ?? "";
  return {
    traceId: text(1, "hex"),
    parentSpanId: text(4, "hex"),
    name: text(5, "utf8"),
    attributes: attributesOf(span, 9),
  };
}

// KeyValue: 1 key, 2 AnyValue, whose field 1 is a string; other values are left out.
function attributesOf(message: Buffer, field: number): Record<string, string> {
  const pairs = fields(message, field).map((pair) => {
    const value = fields(fields(pair, 2)[0] ?? Buffer.alloc(0), 1)[0];
    return [fields(pair, 1)[0]?.toString() ?? "", value?.toString()] as const;
  });
  return Object.fromEntries(pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

/** The length-delimited fields of a protobuf message with this number. */
function fields(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const wire = key % 8;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      if (Math.floor(key / 8) === wanted) found.push(message.subarray(at, at + length));
      at += length;
    }
  }
  return found;
}
