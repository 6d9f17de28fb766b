#!/bin/sh
# Builds the fixtures with wat2wasm (Debian's wabt). The results are committed,
# so that the tests need no tools.
set -e
cd "$(dirname "$0")"
wat2wasm zoo.wat -o zoo.wasm
wat2wasm calc.wat -o calc.wasm
wat2wasm kinds.wat -o kinds.wasm
for body in refused-*.wat good.wat; do
	{ echo "(module"; cat "$body" common.inc; echo ")"; } >"$body.tmp"
	wat2wasm --no-check "$body.tmp" -o "${body%.wat}.wasm"
	rm "$body.tmp"
done
