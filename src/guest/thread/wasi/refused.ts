// What no guest gets: files, directories, sockets, positions. Every function answers with an errno and does nothing.
import { type Errno, errno } from "./errno.ts";
import type { WasiFunctions } from "./signatures.ts";
import type { Stdio } from "./stdio.ts";

type RefusedFunctions = WasiFunctions<
  | "fd_advise"
  | "fd_allocate"
  | "fd_datasync"
  | "fd_fdstat_set_rights"
  | "fd_filestat_set_size"
  | "fd_filestat_set_times"
  | "fd_pread"
  | "fd_prestat_dir_name"
  | "fd_prestat_get"
  | "fd_pwrite"
  | "fd_readdir"
  | "fd_seek"
  | "fd_sync"
  | "fd_tell"
  | "path_create_directory"
  | "path_filestat_get"
  | "path_filestat_set_times"
  | "path_link"
  | "path_open"
  | "path_readlink"
  | "path_remove_directory"
  | "path_rename"
  | "path_symlink"
  | "path_unlink_file"
  | "sock_accept"
  | "sock_recv"
  | "sock_send"
  | "sock_shutdown"
>;

/** The functions that are there, so that guests link, and refuse. */
export function refusedFunctions({ descriptors }: Stdio): RefusedFunctions {
  // For an open stream what a pipe answers, for anything else that it is not open.
  const forStream = (error: Errno) => (fd: number) => (descriptors.has(fd) ? error : errno.badf);
  // No descriptor is a directory, and none is preopened: libc stops looking at the first badf from fd_prestat_get.
  const noDirectory = () => errno.badf;
  const noPosition = forStream(errno.spipe);
  const noSocket = forStream(errno.notsock);
  return {
    fd_advise: noPosition,
    fd_allocate: noPosition,
    fd_datasync: forStream(errno.inval),
    fd_fdstat_set_rights: forStream(errno.notsup),
    fd_filestat_set_size: forStream(errno.inval),
    fd_filestat_set_times: forStream(errno.notsup),
    fd_pread: noPosition,
    fd_prestat_dir_name: noDirectory,
    fd_prestat_get: noDirectory,
    fd_pwrite: noPosition,
    fd_readdir: forStream(errno.notdir),
    fd_seek: noPosition,
    fd_sync: forStream(errno.inval),
    fd_tell: noPosition,
    path_create_directory: noDirectory,
    path_filestat_get: noDirectory,
    path_filestat_set_times: noDirectory,
    path_link: noDirectory,
    path_open: noDirectory,
    path_readlink: noDirectory,
    path_remove_directory: noDirectory,
    path_rename: noDirectory,
    path_symlink: noDirectory,
    path_unlink_file: noDirectory,
    sock_accept: noSocket,
    sock_recv: noSocket,
    sock_send: noSocket,
    sock_shutdown: noSocket,
  };
}
