// Real servers on the loopback address: one that speaks HTTP and remembers what it saw, one that says whatever a test
// writes. Never a mock: what the product sends goes through the kernel.
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { HeaderField } from "../../src/egress/message.ts";

/** A request as it came over the wire. */
export interface SeenRequest {
  readonly method: string;
  /** The request target, byte for byte. */
  readonly path: string;
  /** Names and values as they were sent, in order. */
  readonly headers: readonly HeaderField[];
  readonly body: Uint8Array;
  /** Which of the server's connections it came on, counted from 1. */
  readonly connection: number;
}

/** A listening server. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** `host:port`. */
  readonly authority: string;
  /** Connections accepted until now. */
  readonly connections: number;
  /** Connections that are open at this moment. */
  readonly openSockets: number;
  /** Stops listening and destroys every socket. */
  close(): Promise<void>;
}

/** An HTTP server that remembers. */
export interface Origin extends Listening {
  /** `scheme://host:port`. */
  readonly url: string;
  readonly seen: readonly SeenRequest[];
}

/** Answers one request, whose body has been read. */
export type Handler = (request: SeenRequest, response: ServerResponse) => void;

/** Certificate and key in PEM form. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Starts an HTTP server, or an HTTPS server when `tls` is given. The default handler says `hello`. */
export async function startOrigin(
  options: { readonly tls?: ServerCertificate; readonly handler?: Handler; readonly host?: string } = {},
): Promise<Origin> {
  const { tls, handler = (_request, response) => response.end("hello"), host = "127.0.0.1" } = options;
  const seen: SeenRequest[] = [];
  const numbers = new WeakMap<Socket, number>();
  const listener: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("error", () => {});
    response.on("error", () => {});
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { rawHeaders } = incoming;
      const headers: HeaderField[] = [];
      for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
        headers.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
      }
      const request: SeenRequest = {
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        headers,
        body: Buffer.concat(chunks),
        connection: numbers.get(incoming.socket) ?? 0,
      };
      seen.push(request);
      handler(request, response);
    });
  };
  // Our side is to close idle connections first, unless a test says otherwise.
  const server =
    tls === undefined
      ? createHttpServer({ keepAliveTimeout: 60_000 }, listener)
      : createHttpsServer({ ...tls, keepAliveTimeout: 60_000 }, listener);
  let count = 0;
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    count += 1;
    numbers.set(socket, count);
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  const listening = await listen(server, host);
  const url = `${tls === undefined ? "http" : "https"}://${listening.authority}`;
  return extend(listening, { url, seen });
}

/** Starts a server that hands each connection to `onSocket`, with its number, counted from 1; after TLS when it is given. */
export async function startRawServer(
  onSocket: (socket: Socket, connection: number) => void,
  options: { readonly tls?: ServerCertificate; readonly host?: string } = {},
): Promise<Listening> {
  const { tls, host = "127.0.0.1" } = options;
  let count = 0;
  const accept = (socket: Socket): void => {
    count += 1;
    socket.on("error", () => {});
    onSocket(socket, count);
    // A socket that nobody reads from never sees that the other side has gone.
    if (!socket.isPaused()) socket.resume();
  };
  const server = tls === undefined ? createNetServer(accept) : createTlsServer(tls, accept);
  if (tls !== undefined) server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
  return listen(server, host);
}

/** A server that reads a request's head and then writes `bytes`, and closes after that when `thenClose`. */
export function startScriptedServer(bytes: string | Uint8Array, thenClose = false): Promise<Listening> {
  return startRawServer((socket) => {
    socket.once("data", () => {
      const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
      if (thenClose) socket.end(data);
      else socket.write(data);
    });
  });
}

async function listen(server: Server, host: string): Promise<Listening> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  return {
    port,
    authority: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    get connections() {
      return connections;
    },
    get openSockets() {
      return sockets.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

// Object spread would read the getters once and freeze their numbers.
function extend(
  listening: Listening,
  more: { readonly url: string; readonly seen: readonly SeenRequest[] },
): Origin {
  return Object.defineProperties(
    { ...listening, ...more },
    Object.getOwnPropertyDescriptors(listening),
  ) as Origin;
}
