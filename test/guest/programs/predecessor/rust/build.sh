#!/bin/sh
# Builds predecessor.wasm in a scratch folder: the published crates by any cargo that reaches crates.io, the compiler and
# the wasm32-wasi library by Debian 12: apt-get install --no-install-recommends rustc cargo libstd-rust-dev-wasm32 lld-14
# (a rustup toolchain in front of it in PATH has no such target, hence the full paths).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -R "$here/Cargo.toml" "$here/Cargo.lock" "$here/src" "$scratch/"
cd "$scratch"
mkdir .cargo
cargo vendor --locked vendor >vendor.toml
mv vendor.toml .cargo/config.toml
# Panic messages name source files: without the machine's folder they are the same everywhere.
export RUSTFLAGS="--remap-path-prefix=$scratch=."
export CARGO_TARGET_WASM32_WASI_LINKER=/usr/lib/llvm-14/bin/wasm-ld
RUSTC=/usr/bin/rustc /usr/bin/cargo build --release --offline --locked --target wasm32-wasi
cp target/wasm32-wasi/release/predecessor_guest.wasm "$here/predecessor.wasm"
ls -l "$here/predecessor.wasm"
