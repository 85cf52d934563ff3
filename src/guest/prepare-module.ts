// From a file's bytes to a compiled module with the host's ceilings in it. Everything is checked before the engine
// sees it, and what the engine compiles is what was written here. Never runs any of it.
import { createHash } from "node:crypto";
import { bounds } from "../core/bounds.ts";
import { err, ok, type Result } from "../core/result.ts";
import { ModuleFault } from "./byte-reader.ts";
import { compileModule } from "./compile-module.ts";
import { typeLedger } from "./function-type-ledger.ts";
import { checkImports } from "./known-imports.ts";
import { openModuleCache } from "./module-cache.ts";
import type { FunctionType } from "./module-form.ts";
import { type ImportedMemory, pageBytes, rewriteModule } from "./module-rewrite.ts";
import { parseModule } from "./module-sections.ts";

/** Why a module cannot be run, or cannot be run like this. For the embedder. */
export interface ModuleProblem {
  /** What is wrong: one sentence without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Byte in the file where it shows. */
  readonly offset?: number;
}

/** A compiled module; may be shared by any number of guests. */
export interface PreparedModule {
  readonly module: WebAssembly.Module;
  /** SHA-256 of the file as it was given, in lower-case hex. */
  readonly sha256: string;
  /** Exported functions by name. */
  readonly functions: ReadonlyMap<string, FunctionType>;
  /** To be called right after instantiation: stands for the module's start section. */
  readonly startExport: string | undefined;
  /** To be made for each instance, when the module imports its memory. */
  readonly importedMemory: ImportedMemory | undefined;
  /** Bytes of the file, and of its function bodies. */
  readonly fileBytes: number;
  readonly codeBytes: number;
}

/** What a module may have. */
export interface ModuleLimits {
  /** Memory of each of its instances; whole pages of 64 KiB count. */
  readonly memoryBytesMax: number;
}

// One cache for the process: an entry is a pure function of the bytes and the limit, whoever asked for it.
const cache = openModuleCache<PreparedModule, ModuleProblem>({
  entriesMax: bounds.preparedModulesMax,
  bytesMax: bounds.preparedModuleBytesMax,
  bytesOf: ({ fileBytes }) => fileBytes,
});

/**
 * Checks, caps and compiles a core module. The same bytes with the same limits are compiled once.
 * `wasm` may be changed by its owner as soon as this returns its promise.
 */
export function prepareModule(
  wasm: Uint8Array,
  limits: ModuleLimits,
): Promise<Result<PreparedModule, ModuleProblem>> {
  if (wasm.length > bounds.moduleBytesMax) {
    return Promise.resolve(
      err({
        message: `the module has ${wasm.length} bytes; at most ${bounds.moduleBytesMax} are allowed`,
        remedy: "strip debug information from the module",
      }),
    );
  }
  // INVARIANT (one reading): what is hashed, checked and compiled is one copy that nobody else can change.
  const bytes = new Uint8Array(wasm);
  const preamble = preambleProblem(bytes);
  if (preamble !== undefined) return Promise.resolve(err(preamble));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const pagesMax = Math.floor(limits.memoryBytesMax / pageBytes);
  return cache.get(`${sha256}:${pagesMax}`, () => prepare(bytes, sha256, pagesMax));
}

async function prepare(
  bytes: Uint8Array<ArrayBuffer>,
  sha256: string,
  pagesMax: number,
): Promise<Result<PreparedModule, ModuleProblem>> {
  const capped = capModule(bytes, pagesMax);
  if (!capped.ok) return capped;
  const { sections, rewritten } = capped.value;
  const compiled = await compileModule(rewritten.bytes, bytes);
  if (!compiled.ok) return compiled;
  const functions = new Map<string, FunctionType>();
  for (const { name, kind, index } of sections.exports) {
    if (kind === "function") functions.set(name, sections.typeOf(index));
  }
  return ok({
    module: compiled.value,
    sha256,
    functions,
    startExport: rewritten.startExport,
    importedMemory: rewritten.importedMemory,
    fileBytes: bytes.length,
    codeBytes: sections.codeBytes,
  });
}

function capModule(bytes: Uint8Array<ArrayBuffer>, pagesMax: number) {
  try {
    const sections = parseModule(bytes);
    checkImports(sections.imports);
    const rewritten = rewriteModule(bytes, sections, pagesMax);
    typeLedger.note(sections.types);
    return ok({ sections, rewritten });
  } catch (fault) {
    if (!(fault instanceof ModuleFault)) throw fault;
    return err(problemOf(fault));
  }
}

function problemOf({ message, offset, remedy }: ModuleFault): ModuleProblem {
  return {
    message: `the module cannot be run: ${message}${offset === undefined ? "" : ` (at byte ${offset})`}`,
    remedy: remedy ?? "build the guest again, or check that the file is complete",
    ...(offset === undefined ? {} : { offset }),
  };
}

// The eight bytes that every module begins with: "\0asm", then version 1 and layer 0. A component is of layer 1.
function preambleProblem(bytes: Uint8Array): ModuleProblem | undefined {
  if (bytes.length === 0) return { message: "the file is empty", remedy: "give a WebAssembly module" };
  const isWasm = [0x00, 0x61, 0x73, 0x6d].every((byte, index) => bytes[index] === byte);
  if (!isWasm) {
    const isText = new TextDecoder().decode(bytes.subarray(0, 1_024)).trimStart().startsWith("(");
    return isText
      ? {
          message: "the file is WebAssembly text, not a module",
          remedy: "translate it first: wat2wasm FILE",
          offset: 0,
        }
      : {
          message: "the file is no WebAssembly module: it does not begin with the bytes 00 61 73 6d",
          remedy: "give the .wasm file that the guest's compiler wrote",
          offset: 0,
        };
  }
  if (bytes.length < 8) {
    return {
      message: "the module ends in its first eight bytes",
      remedy: "check that the file is complete",
      offset: bytes.length,
    };
  }
  const layer = (bytes[6] ?? 0) + 256 * (bytes[7] ?? 0);
  if (layer === 1) {
    return {
      message: "the file is a component; components are not supported by this version",
      remedy: "build the guest as a core module (target wasm32-wasip1)",
      offset: 4,
    };
  }
  if (bytes[4] !== 1 || bytes[5] !== 0 || layer !== 0) {
    return {
      message: "the module is of a version of WebAssembly that is not known",
      remedy: "build the guest for WebAssembly version 1",
      offset: 4,
    };
  }
  return undefined;
}
