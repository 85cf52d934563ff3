// Makes one instance of one guest, runs it to its end, and says how it ended.
// INVARIANT (the end is the end): proc_exit cannot be caught by the guest, and nothing of an instance is kept.
import { experimentalModuleName } from "../experimental/signatures.ts";
import type { Bridge } from "./bridge.ts";
import { experimentalImports } from "./experimental.ts";
import { guestMemory } from "./memory.ts";
import type { RunMessage, ThreadEnd } from "./message.ts";
import { threadClock } from "./wasi/thread-clock.ts";
import { GuestExit, type WasiImport, wasiImports, wasiModuleName } from "./wasi/wasi.ts";

// (module (func (export "trap") unreachable))
const trapModule = new WebAssembly.Module(
  Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01],
    ...[0x00, 0x07, 0x08, 0x01, 0x04, 0x74, 0x72, 0x61, 0x70, 0x00, 0x00, 0x0a, 0x05, 0x01, 0x03, 0x00, 0x00],
    0x0b,
  ]),
);

/** Runs one guest. `memoryBytes` is what its memory had grown to. */
export function runInstance(
  bridge: Bridge,
  order: RunMessage,
): { readonly end: ThreadEnd; readonly memoryBytes: number } {
  let memory: WebAssembly.Memory | undefined;
  let exit: GuestExit | undefined;
  let end: ThreadEnd;
  try {
    memory = ownMemory(order);
    const access = guestMemory(() => memory);
    const { imports: wasi } = wasiImports({
      memory: access,
      args: order.args,
      env: order.env,
      write: (stream, bytes) => bridge.call({ kind: "write", stream, bytes }, bytes.buffer),
      read: (bytesMax, waitMs) => bridge.call({ kind: "input", bytesMax, waitMs }),
      ...threadClock,
    });
    const exiting = uncatchable(wasi.proc_exit, (found) => {
      exit = found;
    });
    const provided: WebAssembly.Imports = {
      [wasiModuleName]: { ...wasi, proc_exit: exiting },
      [experimentalModuleName]: experimentalImports({ memory: access, ...bridge }),
    };
    const { exports } = new WebAssembly.Instance(order.module, withMemory(provided, order, memory));
    memory = exportedMemory(exports) ?? memory;
    end = { kind: "returned", values: callExports(exports, order) };
  } catch (fault) {
    // What is no Error is an exception of the guest's own, thrown by WebAssembly's throw.
    const message =
      fault instanceof Error ? fault.message : "the guest threw an exception and did not catch it";
    end = { kind: "trapped", message };
  }
  if (exit !== undefined) end = { kind: "exited", code: exit.code };
  return { end, memoryBytes: memory?.buffer.byteLength ?? 0 };
}

function ownMemory({ memory }: RunMessage): WebAssembly.Memory | undefined {
  if (memory === undefined) return undefined;
  return new WebAssembly.Memory({ initial: memory.pagesMin, maximum: memory.pagesMax });
}

function withMemory(
  provided: WebAssembly.Imports,
  { memory }: RunMessage,
  made: WebAssembly.Memory | undefined,
): WebAssembly.Imports {
  if (memory === undefined || made === undefined) return provided;
  return { ...provided, [memory.module]: { ...provided[memory.module], [memory.name]: made } };
}

function exportedMemory(exports: WebAssembly.Exports): WebAssembly.Memory | undefined {
  const exported = exports.memory;
  return exported instanceof WebAssembly.Memory ? exported : undefined;
}

// A JavaScript exception would be caught by a guest's catch_all, and the guest would go on after its end. A trap
// passes through (WebAssembly core, section 4.6.10: only exceptions are caught).
function uncatchable(procExit: WasiImport | undefined, found: (exit: GuestExit) => void): WasiImport {
  const trap = new WebAssembly.Instance(trapModule).exports.trap as () => never;
  return (...values) => {
    try {
      return procExit?.(...values) ?? 0;
    } catch (fault) {
      if (!(fault instanceof GuestExit)) throw fault;
      found(fault);
      return trap();
    }
  };
}

function callExports(exports: WebAssembly.Exports, { before, main }: RunMessage): readonly unknown[] {
  for (const name of before) call(exports, name, []);
  if (main === undefined) return [];
  const value = call(exports, main.name, main.values);
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function call(exports: WebAssembly.Exports, name: string, values: readonly (number | bigint)[]): unknown {
  return (exports[name] as WebAssembly.WasmFunction)(...values);
}
