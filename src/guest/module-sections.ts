// The parts of a WebAssembly module that the host has to know or to change, read strictly from untrusted bytes.
// Never trusts a length or a count, and never guesses: a form that is not known here is refused, because what the
// engine would make of it is not known either. Function bodies and constants are left to the engine.
import { bounds } from "../core/bounds.ts";
import { type ByteReader, ModuleFault, readBytes } from "./byte-reader.ts";
import {
  type ExportEntry,
  type ExternKind,
  externKinds,
  type FunctionType,
  type ImportEntry,
  type Section,
  type SizeRange,
  sectionId,
  type TableEntry,
  type ValueType,
} from "./module-form.ts";
import { readMemoryRange, readTableRange, severalMemories } from "./size-range.ts";

/** What was read. */
export interface ModuleSections {
  readonly sections: readonly Section[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly ImportEntry[];
  readonly tables: readonly TableEntry[];
  readonly memories: readonly SizeRange[];
  readonly exports: readonly ExportEntry[];
  /** Index of the function that runs at instantiation. */
  readonly start: number | undefined;
  /** Bytes of all function bodies. */
  readonly codeBytes: number;
  /** The type of a function by its index, imported ones first. Throws a ModuleFault for one that does not exist. */
  typeOf(functionIndex: number): FunctionType;
}

// Their order in a file is not that of their ids.
const sectionOrder: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

const valueTypes: ReadonlyMap<number, ValueType> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
  [0x69, "exnref"],
]);

const referenceTypes: ReadonlySet<number> = new Set([0x70, 0x6f, 0x69]);

/** What the parser gathers while it goes through the sections. */
interface Findings {
  readonly types: FunctionType[];
  readonly imports: ImportEntry[];
  readonly tables: TableEntry[];
  readonly memories: SizeRange[];
  readonly exports: ExportEntry[];
  /** Type index of each function, imported ones first. */
  readonly functions: number[];
  start: number | undefined;
  codeBytes: number;
}

/** Reads a core module, from behind its eight bytes of preamble. Throws a ModuleFault for what it does not take. */
export function parseModule(bytes: Uint8Array): ModuleSections {
  const reader = readBytes(bytes, 8, bytes.length);
  const found: Findings = {
    types: [],
    imports: [],
    tables: [],
    memories: [],
    exports: [],
    functions: [],
    start: undefined,
    codeBytes: 0,
  };
  const sections: Section[] = [];
  let place = -1;
  while (!reader.atEnd) {
    const start = reader.offset;
    const id = reader.u8();
    const content = reader.inner(reader.u32());
    sections.push({ id, start, end: reader.offset });
    if (id === sectionId.custom) continue;
    const next = sectionOrder.indexOf(id);
    if (next === -1) throw new ModuleFault(`section ${id} is not known`, start);
    // Also refuses a second one: of two, the one that was read here might not be the one that counts.
    if (next <= place) throw new ModuleFault(`section ${id} is out of order`, start);
    place = next;
    readSection(id, content, found);
    if (!content.atEnd && readWhole.has(id)) {
      throw new ModuleFault(`section ${id} is longer than what it holds`, content.offset);
    }
  }
  const { functions, types } = found;
  return {
    ...found,
    sections,
    typeOf(index) {
      const type = types[functions[index] ?? -1];
      if (type === undefined) throw new ModuleFault(`function ${index} does not exist`, undefined);
      return type;
    },
  };
}

// Sections that are read to their end; the rest is the engine's to check.
const readWhole: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 7, 8, 10]);

function readSection(id: number, content: ByteReader, found: Findings): void {
  if (id === sectionId.type) readTypes(content, found);
  else if (id === sectionId.import) readImports(content, found);
  else if (id === sectionId.function) readFunctions(content, found);
  else if (id === sectionId.table) readTables(content, found);
  else if (id === sectionId.memory) readMemories(content, found);
  else if (id === sectionId.export) readExports(content, found);
  else if (id === sectionId.start) found.start = content.u32();
  else if (id === sectionId.code) found.codeBytes = readCode(content);
}

function readTypes(content: ByteReader, { types }: Findings): void {
  const count = content.count("function types", bounds.moduleTypesMax);
  for (let index = 0; index < count; index += 1) {
    const at = content.offset;
    const form = content.u8();
    // INVARIANT (no collected objects): structs and arrays live in the thread's heap, and filling that from within
    // compiled code ends the whole process, past every limit of the thread (measured). So they cannot be declared.
    if (form !== 0x60) {
      throw new ModuleFault(
        "it uses types of garbage collection, which are not supported",
        at,
        "build the guest without WebAssembly GC",
      );
    }
    types.push({ params: readValueTypes(content), results: readValueTypes(content) });
  }
}

function readValueTypes(content: ByteReader): ValueType[] {
  // The engine's own ceiling.
  const count = content.count("values in one function type", 1_000);
  const found: ValueType[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = content.offset;
    const type = valueTypes.get(content.u8());
    if (type === undefined) {
      throw new ModuleFault(
        "a function type has a value type that is not supported",
        at,
        "build the guest with numbers, vectors, funcref and externref only",
      );
    }
    found.push(type);
  }
  return found;
}

function readImports(content: ByteReader, { imports, functions, types }: Findings): void {
  const count = content.count("imports", bounds.moduleImportsMax);
  for (let index = 0; index < count; index += 1) {
    const offset = content.offset;
    const module = content.name();
    const name = content.name();
    const kind = readKind(content);
    if (kind === "function") {
      const typeIndex = content.u32();
      const type = types[typeIndex];
      if (type === undefined) throw new ModuleFault(`type ${typeIndex} does not exist`, offset);
      functions.push(typeIndex);
      imports.push({ module, name, kind, type, offset });
    } else if (kind === "memory") {
      imports.push({ module, name, kind, memory: readMemoryRange(content), offset });
    } else {
      // Nothing of these kinds is ever given, so what else they say does not matter.
      imports.push({ module, name, kind, offset });
      skipImportType(kind, content);
    }
  }
}

function skipImportType(kind: ExternKind, content: ByteReader): void {
  if (kind === "table") {
    skipValueType(content);
    readTableRange(content);
  } else if (kind === "global") {
    skipValueType(content);
    content.u8();
  } else {
    content.u8();
    content.u32();
  }
}

// 0x63 and 0x64 are references to a type that follows.
function skipValueType(content: ByteReader): void {
  const code = content.u8();
  if (code === 0x63 || code === 0x64) content.u32();
}

function readKind(content: ByteReader): ExternKind {
  const at = content.offset;
  const kind = externKinds[content.u8()];
  if (kind === undefined) throw new ModuleFault("an import or export is of no known kind", at);
  return kind;
}

function readFunctions(content: ByteReader, { functions }: Findings): void {
  const count = content.count("functions", bounds.moduleFunctionsMax);
  for (let index = 0; index < count; index += 1) functions.push(content.u32());
}

function readTables(content: ByteReader, { tables }: Findings): void {
  const count = content.count("tables", bounds.moduleTablesMax);
  for (let index = 0; index < count; index += 1) {
    const at = content.offset;
    const reference = content.u8();
    if (!referenceTypes.has(reference)) {
      throw new ModuleFault(
        "a table holds something else than funcref or externref, or has an initial value",
        at,
        "build the guest without typed function references and WebAssembly GC",
      );
    }
    tables.push({ reference, ...readTableRange(content) });
  }
}

function readMemories(content: ByteReader, { memories }: Findings): void {
  const at = content.offset;
  const count = content.u32();
  if (count > 1) throw severalMemories(at);
  if (count === 1) memories.push(readMemoryRange(content));
}

function readExports(content: ByteReader, { exports }: Findings): void {
  const count = content.count("exports", bounds.moduleExportsMax);
  let nameBytes = 0;
  for (let index = 0; index < count; index += 1) {
    const at = content.offset;
    const name = content.name();
    nameBytes += content.offset - at;
    if (nameBytes > bounds.moduleExportNameBytesMax) {
      throw new ModuleFault(
        `its export names take more than the ${bounds.moduleExportNameBytesMax} bytes allowed`,
        at,
      );
    }
    exports.push({ name, kind: readKind(content), index: content.u32() });
  }
}

function readCode(content: ByteReader): number {
  const count = content.count("functions", bounds.moduleFunctionsMax);
  let bytes = 0;
  for (let index = 0; index < count; index += 1) {
    const at = content.offset;
    const length = content.count("bytes of code in one function", bounds.functionCodeBytesMax);
    content.skip(length);
    bytes += length;
    if (bytes > bounds.moduleCodeBytesMax) {
      throw new ModuleFault(`it has more than the ${bounds.moduleCodeBytesMax} bytes of code allowed`, at);
    }
  }
  return bytes;
}
