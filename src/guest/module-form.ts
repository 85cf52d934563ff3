// The words in which a module is spoken of: types, imports, exports, sections. Holds no logic.

/** Types of values that can stand in a function's type. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref" | "exnref";

/** What a function takes and gives. */
export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Least and most of a memory, in pages, or of a table, in entries. */
export interface SizeRange {
  readonly min: number;
  readonly max: number | undefined;
}

/** Kinds of imports and exports, at the place of their code in the binary format. */
export const externKinds = ["function", "table", "memory", "global", "tag"] as const;

/** A kind of import or export. */
export type ExternKind = (typeof externKinds)[number];

/** One import; `type` is there for functions, `memory` for memories. */
export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  readonly type?: FunctionType;
  readonly memory?: SizeRange;
  readonly offset: number;
}

/** One export. */
export interface ExportEntry {
  readonly name: string;
  readonly kind: ExternKind;
  readonly index: number;
}

/** One table that the module defines. */
export interface TableEntry extends SizeRange {
  /** The binary format's code of the type of its entries. */
  readonly reference: number;
}

/** Where a section stands: `start` is its id byte. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** Section ids of the binary format (WebAssembly core, section 5.5.2). */
export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;
