// The first file of a guest's thread: waits for guests, runs one after the other.
// INVARIANT (no way out): nothing that this file imports, directly or not, can open a socket or a file. The one way
// out of the thread is its port.
import { workerData } from "node:worker_threads";
import { openBridge } from "./bridge.ts";
import { runInstance } from "./instance.ts";
import type { RunMessage, ThreadData } from "./message.ts";

const data = workerData as ThreadData;

data.port.on("message", (message: RunMessage) => {
  const bridge = openBridge(data, message.run);
  bridge.tell({ kind: "end", ...runInstance(bridge, message) });
});
