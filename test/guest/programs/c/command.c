// A command that shows what it got: arguments, environment, input, time, and that there are no files.
// Arguments: any; the last one is the exit code.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int index = 0; index < argc; index += 1) printf("arg %d: %s\n", index, argv[index]);
  const char *foo = getenv("FOO");
  printf("FOO: %s\n", foo == NULL ? "(none)" : foo);
  printf("HOME: %s\n", getenv("HOME") == NULL ? "(none)" : getenv("HOME"));

  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) printf("input: %s", line);
  printf("end of input: %d\n", feof(stdin) != 0);

  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  usleep(30000);
  clock_gettime(CLOCK_MONOTONIC, &after);
  long long ns = (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
  printf("slept 30 ms: %d\n", ns >= 30000000LL);
  printf("this century: %d\n", time(NULL) > 946684800);

  FILE *file = fopen("/etc/passwd", "r");
  printf("file: %s\n", file == NULL ? "refused" : "open");
  printf("terminals: %d %d %d\n", isatty(0), isatty(1), isatty(2));
  fprintf(stderr, "done\n");
  return atoi(argv[argc - 1]);
}
