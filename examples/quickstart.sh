#!/bin/sh
# Builds Muster and runs matrices/quickstart.yaml on real virtual machines under QEMU: Debian 12 and 13, built from
# packages. What is missing on a Debian or Ubuntu host is installed first. Arguments are handed on to `muster run`.
set -eu
cd "$(dirname "$0")/.."

examples/prerequisites.sh build run
command -v swift >/dev/null || {
  echo "Swift 6.2 or newer is needed: https://www.swift.org/install" >&2
  exit 1
}

echo "Building Muster (a few minutes the first time) …" >&2
muster=$(examples/build.sh)

output=${QUICKSTART_OUTPUT:-.build/quickstart}
exec "$muster" run matrices/quickstart.yaml --output "$output" \
  --junit "$output/junit.xml" --markdown "$output/summary.md" "$@"
