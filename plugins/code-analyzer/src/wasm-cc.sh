#!/bin/sh
# The C compiler for the parsers' tables: Clang for wasm, with the headers that come with tree-sitter, since the target
# has no C library. Paths of this machine stay out of the objects, so that the same sources give the same bytes.
registry="${CARGO_HOME:-$HOME/.cargo}/registry/src"
for compiler in clang-22 clang; do
    command -v "$compiler" >/dev/null || continue
    for headers in "$registry"/*/tree-sitter-language-0.1.*/wasm/include; do
        exec "$compiler" -isystem "$headers" -Os -DNDEBUG "-ffile-prefix-map=$registry=/crates" "$@"
    done
done
echo "No Clang that compiles C to wasm is here. On Debian: apt-get install clang-22." >&2
exit 1
