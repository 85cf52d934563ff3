#!/bin/sh
# Builds predecessor.wasm in a scratch folder with the compiler and the WASI library of the predecessor's days, both from npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -R "$here/assembly" "$scratch/"
cd "$scratch"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --silent assemblyscript@0.18.32 as-wasi@0.4.4
npx asc assembly/index.ts -b predecessor.wasm --use abort=wasi_abort -O3z
cp predecessor.wasm "$here/predecessor.wasm"
ls -l "$here/predecessor.wasm"
