// Types of the WebAssembly JavaScript interface as far as it is used here. The compiler has them only in its
// library for browsers, which would also let every browser global pass the type check; it lacks JSPI as well.

declare namespace WebAssembly {
  type ImportExportKind = "function" | "global" | "memory" | "table" | "tag";
  type ValueType = "i32" | "i64" | "f32" | "f64" | "externref" | "anyfunc" | "v128";

  interface ModuleImportDescriptor {
    readonly module: string;
    readonly name: string;
    readonly kind: ImportExportKind;
  }

  interface ModuleExportDescriptor {
    readonly name: string;
    readonly kind: ImportExportKind;
  }

  class Module {
    constructor(bytes: NodeJS.BufferSource);
    static imports(module: Module): ModuleImportDescriptor[];
    static exports(module: Module): ModuleExportDescriptor[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }

  /** Values that cross are numbers, bigints and references; nothing about a guest's function is known beforehand. */
  type WasmFunction = { call(...values: unknown[]): unknown }["call"];
  type ExportValue = WasmFunction | Global | Memory | Table;
  type ImportValue = ExportValue | Suspending | number | bigint;
  type Exports = Readonly<Record<string, ExportValue>>;
  type Imports = Readonly<Record<string, Readonly<Record<string, ImportValue>>>>;

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }

  interface MemoryDescriptor {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }

  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    /** Returns the size before, in pages of 64 KiB; throws a RangeError beyond the maximum. */
    grow(pages: number): number;
  }

  interface TableDescriptor {
    readonly element: "anyfunc" | "externref";
    readonly initial: number;
    readonly maximum?: number;
  }

  class Table {
    constructor(descriptor: TableDescriptor, value?: unknown);
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(entries: number, value?: unknown): number;
  }

  interface GlobalDescriptor {
    readonly value: ValueType;
    readonly mutable?: boolean;
  }

  class Global {
    constructor(descriptor: GlobalDescriptor, value?: unknown);
    value: unknown;
    valueOf(): unknown;
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function validate(bytes: NodeJS.BufferSource): boolean;
  function compile(bytes: NodeJS.BufferSource): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;

  /** JSPI: an import whose promise suspends the guest that called it. */
  class Suspending {
    constructor(callback: WasmFunction);
  }

  /** JSPI: an export that returns a promise, so that imports under it may suspend. */
  function promising(exported: WasmFunction): (...values: unknown[]) => Promise<unknown>;
}
