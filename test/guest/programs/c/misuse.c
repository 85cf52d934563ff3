// A command that tries what it must not get; it ends with the line of the first thing that went wrong, or 0.
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

// libc's headers have it no more, hosts still do.
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int proc_raise(int signal);

#define expect(condition) if (!(condition)) return __LINE__

int main(void) {
  struct stat stats;
  char byte;
  expect(shutdown(3, SHUT_RD) != 0 && errno == EBADF);
  expect(shutdown(STDOUT_FILENO, SHUT_RD) != 0 && errno == ENOTSOCK);
  expect(lseek(STDOUT_FILENO, 0, SEEK_SET) == -1 && errno == ESPIPE);
  expect(pread(STDIN_FILENO, &byte, 1, 0) == -1 && errno == ESPIPE);
  expect(fstat(STDOUT_FILENO, &stats) == 0 && S_ISCHR(stats.st_mode));
  expect(fstat(3, &stats) == -1 && errno == EBADF);
  expect(stat("/", &stats) == -1);
  expect(mkdir("sub", 0700) == -1);
  expect(unlink("file") == -1);
  expect(__wasi_path_unlink_file(3, "file") == __WASI_ERRNO_BADF);
  expect(proc_raise(9) == __WASI_ERRNO_NOTSUP);
  expect(proc_raise(6) == __WASI_ERRNO_NOTSUP);
  expect(__wasi_random_get((uint8_t *)0xfffffff0u, 0x20) == __WASI_ERRNO_FAULT);
  expect(write(STDOUT_FILENO, (char *)0xfffffff0u, 0x20) == -1 && errno == EFAULT);
  expect(printf("before\n") == 7 && fflush(stdout) == 0);
  expect(close(STDOUT_FILENO) == 0);
  expect(write(STDOUT_FILENO, "after\n", 6) == -1 && errno == EBADF);
  expect(write(STDERR_FILENO, "end\n", 4) == 4);
  return 0;
}
