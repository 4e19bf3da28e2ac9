#!/bin/sh
# Measures Muster against its floors, prints each ratio, and exits 1 if one is above its limit. Names after it choose
# benchmarks: check, plan, start, size, cells, overhead, cold, warm, twenty, clones, layer.
set -eu
cd "$(dirname "$0")/../.."

examples/prerequisites.sh build run test
muster=$(examples/build.sh)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# Swift brings a C compiler; not every host has one by itself.
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
[ -x "$clang" ] || clang=cc
# shellcheck disable=SC2046
"$clang" -O2 -o "$work/yaml-events" Tests/Benchmarks/yaml-events.c $(pkg-config --cflags --libs yaml-0.1)

python3 Tests/Benchmarks/benchmarks.py "$muster" "$work" "$@"
