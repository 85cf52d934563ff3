#!/bin/sh
# Builds the C guests beside this file. Needs Debian's clang-14, lld-14, wasi-libc and libclang-rt-14-dev-wasm32.
set -eu
cd "$(dirname "$0")"
for program in command misuse; do
  clang-14 --target=wasm32-wasi -Os -Wl,--strip-all "$program.c" -o "$program.wasm"
done
