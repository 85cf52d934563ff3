// Types for the one file of undici that we load. Its index would put an Agent of its own behind the embedder's
// global `fetch` (lib/global.js), and takes four times as long to load.
declare module "undici/lib/dispatcher/client.js" {
  import type { Client } from "undici";

  const client: typeof Client;
  export = client;
}
