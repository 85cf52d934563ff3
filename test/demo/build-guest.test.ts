// The demo's guest compiles, and asks for nothing that a host does not have.
import { describe, expect, test } from "vitest";
import { buildDemoGuest } from "./build-guest.ts";

describe("the demo guest", async () => {
  const module = await WebAssembly.compile(Uint8Array.from(await buildDemoGuest()));

  test("needs nothing from its host but the two import modules that every guest may have", () => {
    const needed = new Set(WebAssembly.Module.imports(module).map((entry) => entry.module));
    expect([...needed].sort()).toEqual(["wasi_experimental_http", "wasi_snapshot_preview1"]);
  });

  test("is a WASI command: it exports its memory and its start", () => {
    const exported = WebAssembly.Module.exports(module).map((entry) => entry.name);
    expect(exported.sort()).toEqual(["_start", "memory"]);
  });
});
