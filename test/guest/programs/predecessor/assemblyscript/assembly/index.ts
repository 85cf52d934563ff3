// What an AssemblyScript guest of the predecessor does: three exports without arguments that abort when something is wrong.
// The base URL is not fixed: it comes from BASE_URL, so that a server on this machine can answer.

import { Console, Environ } from "as-wasi";
import { request, Response } from "./http";

function url(path: string): string {
  const base = new Environ().get("BASE_URL");
  return (base === null ? "https://api.test:8443" : base) + path;
}

function fetchOne(): Response {
  const response = request(url("/get"), "GET", "", new ArrayBuffer(0));
  assert(response.status == 200, "the status is not 200");
  return response;
}

/** One GET; the status, one header and the length of the body are looked at. */
export function get(): void {
  const response = fetchOne();
  const contentType = response.header("content-type");
  assert(contentType.length > 0, "no content type");
  assert(response.headers().includes("content-type:" + contentType + "\n"), "the header is not in the list");
  Console.log("get " + response.status.toString() + " " + response.body().length.toString() + " bytes");
  response.close();
}

/** One POST with a header; the server sends both back. */
export function post(): void {
  const body = String.UTF8.encode("Testing with a request body. Does this actually work?");
  const response = request(url("/post"), "POST", "Content-Type:text/plain\nabc:def\n", body);
  assert(response.status == 200, "the status is not 200");
  const echo = response.body();
  assert(echo.includes("Testing with a request body"), "no body in the echo");
  assert(echo.includes("abc") && echo.includes("def"), "no header in the echo");
  Console.log("post " + response.status.toString() + " " + echo.length.toString() + " bytes");
  response.close();
}

/** Three responses, all open at once and never closed. */
export function concurrent(): void {
  const first = fetchOne();
  const second = fetchOne();
  const third = fetchOne();
  Console.log("concurrent " + first.status.toString() + " " + second.status.toString() + " " + third.status.toString());
}
