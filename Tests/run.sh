#!/bin/sh
# Passes all tests, those on real machines included. Installs what is missing on a Debian or Ubuntu host first.
# Arguments are handed on to `swift test`, such as `--filter YAML`.
set -eu
cd "$(dirname "$0")/.."

examples/prerequisites.sh build run test
command -v swift >/dev/null || {
  echo "Swift 6.2 or newer is needed: https://www.swift.org/install" >&2
  exit 1
}

# All at once they would hold more files open than most hosts allow a process, and wait on each other for minutes.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16

if [ $# -gt 0 ]; then
  exec swift test "$@"
fi

log=$(mktemp)
trap 'rm -f "$log" "$log.status"' EXIT
trap 'exit 130' INT TERM HUP

# `swift test`, whose failures are told once more at the end: of a long log that is what people see.
run() {
  rm -f "$log.status"
  { swift test "$@" 2>&1 && status=0 || status=$?; echo "$status" >"$log.status"; } | tee "$log"
  status=$(cat "$log.status")
  [ "$status" -ne 0 ] || return 0
  echo "What failed:"
  grep -E '✘|↳' "$log" || true
  exit "$status"
}

# Real machines one at a time, after all else: each wants the processors for itself. Those of the managers' stand-ins are
# mostly waited for.
managed=ManagedRealRunTests
machines='RealRunTests|MachineTests|BuildTests'
run --skip "$machines"
SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=3 run --skip-build --filter "$managed"
run --skip-build --no-parallel --filter "$machines" --skip "$managed"
