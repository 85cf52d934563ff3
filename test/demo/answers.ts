// What the demo's server answers, and how it names what arrived.

import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { SeenRequest } from "../support/origin.ts";

const chunkSizes = [100, 200, 300, 400, 500];
const chunkPauseMs = 150;

/** Answers one request of the demo's guest. */
export function answer(request: SeenRequest, response: ServerResponse): void {
  const path = request.path.split("?", 1)[0] ?? "/";
  response.setHeader("content-type", "text/plain");
  if (path === "/v1/hello") response.end("hello, guest");
  else if (path === "/v1/echo") response.end(request.body);
  else if (path === "/v1/stream") stream(response).catch(() => response.destroy());
  else if (path === "/v1/moved") {
    const elsewhere = hostOf(request).replace("api.", "elsewhere.");
    response.writeHead(302, { location: `https://${elsewhere}/v1/hello` }).end();
  } else if (path === "/search" || path.startsWith("/reports/")) response.end(`this is ${path}`);
  else response.writeHead(404).end();
}

/** A request as the guest would have written it: `GET https://host:port/path`. */
export function arrivalOf(request: SeenRequest): string {
  return `${request.method} https://${hostOf(request)}${request.path}`;
}

async function stream(response: ServerResponse): Promise<void> {
  for (const size of chunkSizes) {
    response.write("x".repeat(size));
    await pause(chunkPauseMs);
  }
  response.end();
}

function hostOf(request: SeenRequest): string {
  return request.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
}
