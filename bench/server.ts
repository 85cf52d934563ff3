// The server that is measured against, in a process of its own: it must not share a thread with who asks.
// Prints its port; ends with its standard input.
import { createServer } from "node:http";

const small = Buffer.from("hello, guest");
const chunk = Buffer.alloc(1024 * 1024, "x");

const server = createServer(async (request, response) => {
  const mebibytes = Number(/^\/big\/(\d+)$/.exec(request.url ?? "")?.[1] ?? 0);
  if (mebibytes === 0) {
    response.end(small);
    return;
  }
  response.writeHead(200, { "content-length": mebibytes * chunk.length });
  for (let index = 0; index < mebibytes; index += 1) {
    if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(typeof address === "object" ? address?.port : "");
});
process.stdin.on("end", () => process.exit()).resume();
