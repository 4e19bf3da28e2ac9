#!/bin/sh
# Builds the release binary of Muster and prints its path. It needs libc, libm and libyaml of the host, and nothing else.
set -eu
cd "$(dirname "$0")/.."

# The linker takes a library from the first folder that has it; this one has the static ones of the C++ runtime, which
# Swift's own is linked to.
static=$PWD/.build/static
mkdir -p "$static"
swift=$(command -v swift)
clang=$(dirname "$(readlink -f "$swift" 2>/dev/null || echo "$swift")")/clang
link() {
  found=$("$clang" -print-file-name="$1" 2>/dev/null) || found=
  case $found in /*) ln -sf "$found" "$static/$2" ;; esac
}
# What Muster does is mostly waiting.
export MUSTER_BUILD=small
set -- -c release --product muster
if [ "$(uname -s)" = Linux ]; then
  link libstdc++.a libstdc++.a
  link libgcc_eh.a libgcc_s.a
  # Nobody links to it: a tenth of it would be names. What is the same machine code is there once.
  set -- "$@" --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker -s -Xlinker --no-export-dynamic \
    -Xlinker --gc-sections -Xlinker --icf=all -Xlinker "-L$static"
  # A twentieth of it would be relocations, which C libraries since 2.36 understand in a shorter form.
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/.* //')
  if [ "$(printf '%s\n2.36\n' "${libc:-0}" | sort -V | head -n 1)" = 2.36 ]; then
    set -- "$@" -Xlinker -z -Xlinker pack-relative-relocs
  fi
fi
swift build "$@" --quiet >&2
echo "$(swift build "$@" --show-bin-path)/muster"
