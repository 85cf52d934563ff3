// Writes WebAssembly modules byte by byte, for forms that no assembler would write. Checks nothing.

/** LEB128 of an unsigned number. */
export function leb(value: number): number[] {
  const low = value % 128;
  const rest = Math.floor(value / 128);
  return rest > 0 ? [low + 128, ...leb(rest)] : [low];
}

/** A name with its length in front. */
export function named(text: string): number[] {
  const bytes = [...Buffer.from(text)];
  return [...leb(bytes.length), ...bytes];
}

/** A section with its id and length in front. */
export function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length)].concat(content);
}

/** A core module of these sections. */
export function moduleOf(...sections: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].concat(...sections));
}

/** One function type without parameters and results. */
export const emptyTypes = section(1, [1, 0x60, 0, 0]);

/** Functions of the first type, and their code: no locals, these instructions, `end`. */
export function functionsOf(...bodies: readonly (readonly number[])[]): {
  functions: number[];
  code: number[];
} {
  const code = bodies.flatMap((body) => [...leb(body.length + 2), 0, ...body, 0x0b]);
  return {
    functions: section(3, [...leb(bodies.length), ...bodies.map(() => 0)]),
    code: section(10, [...leb(bodies.length), ...code]),
  };
}
