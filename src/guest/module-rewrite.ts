// Writes a module anew with the host's ceilings in it: the guest cannot get more than the module says.
// Never changes code or data, and takes nothing over into the changed sections that was not read before.

import { bounds } from "../core/bounds.ts";
import { joinBytes } from "../core/join-bytes.ts";
import { ModuleFault } from "./byte-reader.ts";
import { type ExportEntry, externKinds, type SizeRange, sectionId, type TableEntry } from "./module-form.ts";
import type { ModuleSections } from "./module-sections.ts";
import { severalMemories } from "./size-range.ts";

/** A page of WebAssembly memory. */
export const pageBytes = 65_536;

/** A memory that the host makes because the module imports it. */
export interface ImportedMemory {
  readonly module: string;
  readonly name: string;
  readonly pagesMin: number;
  readonly pagesMax: number;
}

/** A module with the host's ceilings. */
export interface RewrittenModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The export that stands for the module's start function, when it has one. */
  readonly startExport: string | undefined;
  readonly importedMemory: ImportedMemory | undefined;
}

/** Rewrites `bytes`, of which `sections` was read. Throws a ModuleFault when the module needs more than it may have. */
export function rewriteModule(
  bytes: Uint8Array,
  sections: ModuleSections,
  pagesMax: number,
): RewrittenModule {
  const { imports, memories, tables, exports, start } = sections;
  const importedMemories = imports.filter(({ kind }) => kind === "memory");
  if (importedMemories.length + memories.length > 1) {
    throw severalMemories(importedMemories[0]?.offset);
  }
  const [imported] = importedMemories;
  const importedMemory =
    imported?.memory === undefined
      ? undefined
      : { module: imported.module, name: imported.name, ...cappedPages(imported.memory, pagesMax) };

  const replaced = new Map<number, Uint8Array>();
  const [memory] = memories;
  if (memory !== undefined) {
    const { pagesMin, pagesMax: max } = cappedPages(memory, pagesMax);
    replaced.set(sectionId.memory, section(sectionId.memory, [1, 1, ...leb(pagesMin), ...leb(max)]));
  }
  if (tables.length > 0) replaced.set(sectionId.table, tableSection(tables));

  let startExport: string | undefined;
  if (start !== undefined) {
    // The engine checks this of a start section, but not of the export that takes its place.
    const { params, results } = sections.typeOf(start);
    if (params.length > 0 || results.length > 0) {
      throw new ModuleFault("its start function takes or returns something", undefined);
    }
    // INVARIANT (start is a call): while a start section runs, its module's memory cannot be reached from outside,
    // so that imports could not serve it. Called right after instantiation, it sees the same state as before.
    startExport = unusedName(exports);
    const added = [...exports, { name: startExport, kind: "function", index: start } as const];
    const section = exportSection(added);
    const hasExports = sections.sections.some(({ id }) => id === sectionId.export);
    replaced.set(hasExports ? sectionId.export : sectionId.start, section);
    if (hasExports) replaced.set(sectionId.start, new Uint8Array(0));
  }
  return { bytes: assemble(bytes, sections, replaced), startExport, importedMemory };
}

function cappedPages({ min, max }: SizeRange, most: number): { pagesMin: number; pagesMax: number } {
  if (min > most) {
    throw new ModuleFault(
      `it needs ${min * pageBytes} bytes of memory at its start, and ${most * pageBytes} are allowed`,
      undefined,
      `allow at least ${min * pageBytes} bytes (--max-memory, memoryBytesMax), or build the guest with less`,
    );
  }
  return { pagesMin: min, pagesMax: Math.min(max ?? most, most) };
}

function tableSection(tables: readonly TableEntry[]): Uint8Array {
  const most = bounds.guestTableEntriesMax;
  const needed = tables.reduce((sum, { min }) => sum + min, 0);
  if (needed > most) {
    throw new ModuleFault(`its tables have ${needed} entries; at most ${most} are allowed`, undefined);
  }
  const share = Math.floor(most / tables.length);
  const content = [...leb(tables.length)];
  for (const { reference, min, max } of tables) {
    const cap = Math.max(min, Math.min(max ?? share, share));
    content.push(reference, 1, ...leb(min), ...leb(cap));
  }
  return section(sectionId.table, content);
}

function exportSection(exports: readonly ExportEntry[]): Uint8Array {
  const content = [...leb(exports.length)];
  const encoder = new TextEncoder();
  for (const { name, kind, index } of exports) {
    const bytes = encoder.encode(name);
    content.push(...leb(bytes.length));
    // Not spread: a name may be longer than a call can have arguments.
    for (const byte of bytes) content.push(byte);
    content.push(externKinds.indexOf(kind), ...leb(index));
  }
  return section(sectionId.export, content);
}

// The guest may have an export of any name; the host must not call one of those in place of the start function.
function unusedName(exports: readonly ExportEntry[]): string {
  const names = new Set(exports.map(({ name }) => name));
  let name = "__sallyport_start";
  while (names.has(name)) name += "_";
  return name;
}

function section(id: number, content: readonly number[]): Uint8Array {
  return Uint8Array.from([id, ...leb(content.length)].concat(content));
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

function assemble(
  bytes: Uint8Array,
  { sections }: ModuleSections,
  replaced: ReadonlyMap<number, Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const pieces = [bytes.subarray(0, 8)];
  for (const { id, start, end } of sections) pieces.push(replaced.get(id) ?? bytes.subarray(start, end));
  return joinBytes(pieces);
}
