// The five functions of wasi_experimental_http as guests import them. Holds no behaviour.

/** The module name under which guests import these functions. */
export const experimentalModuleName = "wasi_experimental_http";

/** Parameters in order, each an i32; each function returns an error code as i32. */
export const experimentalSignatures = {
  req: "iiiiiiiiii",
  close: "i",
  header_get: "iiiiii",
  headers_get_all: "iiii",
  body_read: "iiii",
} as const;

/** A function of wasi_experimental_http. */
export type ExperimentalName = keyof typeof experimentalSignatures;
