// The demo guest: a program that nobody trusts. It asks for what its policy allows, then tries every way around it,
// and prints a line for each request: what it got, what it asked, and why that is worth a try.

import { request, Response, words } from "./http";
import { environment, exit, print } from "./wasi";

const api = environment("API_URL");
if (!api.startsWith("https://api.")) {
  print("API_URL must begin with https://api.\n", 2);
  exit(2);
}
// https://api.demo.test:8443 -> its port, and names beside it.
const port = api.substring(api.lastIndexOf(":") + 1);
const besides = api.substring("https://api".length);

function line(result: string, method: string, url: string): string {
  return result.padEnd(14) + method.padEnd(7) + url.padEnd(46) + " ";
}

function outcome(response: Response): string {
  return response.error == 0 ? response.status.toString() : words(response.error);
}

/** One request, one line; a response is read to its end and given back. */
function step(method: string, url: string, why: string): void {
  const response = request(method, url);
  print(line(outcome(response), method, url) + why + "\n");
  response.text();
  response.close();
}

// What the policy allows.

const hello = request("GET", api + "/v1/hello");
print(line(outcome(hello), "GET", api + "/v1/hello") + hello.header("content-type") + ": " + hello.text() + "\n");
hello.close();

const echo = request("POST", api + "/v1/echo", "content-type:text/plain\n", "sent by a guest");
print(line(outcome(echo), "POST", api + "/v1/echo") + "it echoes: " + echo.text() + "\n");
echo.close();

// The server takes its time with this one. Each number is printed when its chunk is read, not at the end.
const stream = request("GET", api + "/v1/stream");
print(line(outcome(stream), "GET", api + "/v1/stream") + "chunks:");
const chunk = new Uint8Array(4096);
for (let count = stream.read(chunk); count > 0; count = stream.read(chunk)) print(" " + count.toString());
print(" bytes\n");
stream.close();

// What it does not allow, one dimension after the other.

step("GET", "http" + api.substring("https".length) + "/v1/hello", "without TLS");
step("GET", "https://elsewhere" + besides + "/v1/hello", "a host that no rule names");
step("GET", api.substring(0, api.lastIndexOf(":")) + "/v1/hello", "another port of the right host");
step("DELETE", api + "/v1/hello", "a method that no rule names");
step("GET", api + "/internal/metrics", "a path that no rule names");
step("GET", api + "/v1/admin/keys", "a path that a deny rule takes away");

// Limits: three a minute, and one at a time.

for (let i = 1; i <= 4; i++) step("GET", api + "/search?q=" + i.toString(), "search " + i.toString() + " of 3 a minute");

const report = request("GET", api + "/reports/1");
print(line(outcome(report), "GET", api + "/reports/1") + "one report at a time: it stays open\n");
step("GET", api + "/reports/2", "so a second one has to wait");
report.text();
report.close();
step("GET", api + "/reports/2", "until the first one is closed");

// Ways around a list of names.

step("GET", "https://rebind" + besides + "/", "an allowed name that leads to 127.0.0.1");
step("GET", "https://0x7f000001:" + port + "/v1/hello", "127.0.0.1, written in hexadecimal");
step("GET", api + "/v1/moved", "a redirect to a host that no rule names");
