// The 46 functions of wasi_snapshot_preview1 with their exact core types. Holds no behaviour.

/** Parameters in order: `i` is an i32, `I` an i64. Each function returns an errno as i32; proc_exit returns nothing. */
export const signatures = {
  args_get: "ii",
  args_sizes_get: "ii",
  environ_get: "ii",
  environ_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "iIi",
  fd_advise: "iIIi",
  fd_allocate: "iII",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "iII",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "iI",
  fd_filestat_set_times: "iIIi",
  fd_pread: "iiiIi",
  fd_prestat_get: "ii",
  fd_prestat_dir_name: "iii",
  fd_pwrite: "iiiIi",
  fd_read: "iiii",
  fd_readdir: "iiiIi",
  fd_renumber: "ii",
  fd_seek: "iIii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiiIIi",
  path_link: "iiiiiii",
  path_open: "iiiiiIIii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
} as const;

/** A function of WASI preview 1. */
export type WasiName = keyof typeof signatures;

type Values<Signature extends string> = Signature extends `i${infer Rest}`
  ? [number, ...Values<Rest>]
  : Signature extends `I${infer Rest}`
    ? [bigint, ...Values<Rest>]
    : [];

/** Functions as they are written here: every i32 unsigned, every i64 an unsigned bigint. */
export type WasiFunctions<Names extends WasiName = WasiName> = {
  readonly [Name in Names]: (...values: Values<(typeof signatures)[Name]>) => number;
};
