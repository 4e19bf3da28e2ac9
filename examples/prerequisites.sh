#!/bin/sh
# Installs the Debian packages that are named and missing: `prerequisites.sh PACKAGE…`, or by what they are for:
# `build` (to compile Muster), `run` (to run matrices under QEMU), `test` (what its tests use besides).
# Says what it installs, uses sudo where it is not root, and does nothing where all is there.
set -eu

build="libyaml-dev pkg-config git ca-certificates"
run="qemu-system-x86 qemu-utils mmdebstrap debian-archive-keyring e2fsprogs openssh-client curl ca-certificates xz-utils"
test="jq openssh-server procps python3 busybox perl bash ovmf time iproute2"
# Elsewhere it is no package but a snap, which would be the host's own.
[ "$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null)" != debian ] || test="$test lxd lxcfs dnsmasq-base nftables"

wanted=
for word in "$@"; do
  case $word in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run"; [ "$(id -u)" -eq 0 ] || wanted="$wanted uidmap" ;;
    test) wanted="$wanted $test" ;;
    *) wanted="$wanted $word" ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian or Ubuntu; please install what these Debian packages hold:$wanted" >&2
  exit 0
fi

missing=
for package in $wanted; do
  case " $missing " in *" $package "*) continue ;; esac
  state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) || state=
  case $state in ii*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "Not root, and sudo is not there. Please have installed:$missing" >&2
    exit 1
  }
  sudo=sudo
fi
echo "Installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update >&2
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
  -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install $missing >&2
