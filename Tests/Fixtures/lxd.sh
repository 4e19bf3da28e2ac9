#!/bin/sh
# A LXD of its own for tests, without systemd, apart from a host's own:
#
#   lxd.sh start FOLDER [PID]    starts the daemon with all of its state in FOLDER, which must not exist, a storage pool
#                                `default` and, where this kernel can, a network that leads out; stopped as soon as the
#                                process PID ends; FOLDER ends in -PID then
#   lxd.sh stop FOLDER           ends all of its instances, the daemon and what it started, and removes FOLDER
#   lxd.sh check                 whether all that it takes is here; else says what is not
#
# Clients reach it by LXD_DIR=FOLDER/lxd and LXD_CONF=FOLDER/conf. Needs root and Debian's lxd; for a network also
# dnsmasq-base and nftables.
set -eu

check() {
  [ "$(uname -s)" = Linux ] || { echo "not Linux"; exit 1; }
  [ "$(id -u)" -eq 0 ] || { echo "not root"; exit 1; }
  for tool in lxd lxc lxcfs setsid ip tail; do
    command -v "$tool" >/dev/null || { echo "'$tool' is not installed"; exit 1; }
  done
  unshare --mount --pid --user --net --fork true 2>/dev/null || { echo "namespaces cannot be made here"; exit 1; }
  [ -w /sys/fs/cgroup ] || { echo "cgroups cannot be made here"; exit 1; }
}

# The name of the network is that of an interface of this host, so it is the folder's own.
bridge() { echo "mlxd$(printf '%s' "$1" | cksum | cut -d' ' -f1)"; }

network() {
  command -v dnsmasq >/dev/null && command -v nft >/dev/null || return 0
  forward=$(cat /proc/sys/net/ipv4/ip_forward)
  echo "$forward" >"$1/forward"
  # The first of a few networks that nothing here leads to.
  for number in 41 73 119 137 151 163 179 191; do
    subnet="10.$number.$(($$ % 200 + 20))"
    ip route get "$subnet.9" 2>/dev/null | head -n 1 | grep -qv ' via ' && continue
    if lxc network create "$(bridge "$1")" ipv4.address="$subnet.1/24" ipv4.nat=true ipv6.address=none >&2; then
      lxc profile device add default eth0 nic network="$(bridge "$1")" name=eth0 >&2
    fi
    return 0
  done
}

# Whether the process runs whose id a file holds.
runs() { [ -f "$1" ] && [ -e "/proc/$(cat "$1" 2>/dev/null || echo none)" ]; }

# One that is being stopped takes what they share with it: lxcfs.
wait_for_the_dying() {
  for folder in "${1%-*}"-*; do
    number=0
    while [ ! -e "/proc/${folder##*-}" ] && { runs "$folder/pid" || runs "$folder/stopping"; } && [ $number -lt 600 ]; do
      sleep 0.1
      number=$((number + 1))
    done
  done
}

start() {
  check >&2
  [ $# -lt 2 ] || wait_for_the_dying "$1"
  mkdir -p "$1/lxd" "$1/conf"
  chmod 711 "$1" "$1/lxd"
  nft list table inet lxd >/dev/null 2>&1 && : >"$1/had-table"
  export LXD_DIR="$1/lxd" LXD_CONF="$1/conf"
  setsid lxd --group root --logfile "$1/lxd.log" </dev/null >"$1/lxd.out" 2>&1 &
  echo $! >"$1/pid"
  if [ $# -gt 1 ]; then
    # It waits in a session of its own, which nothing that ends the tests ends.
    setsid sh -c 'tail --pid="$1" -f /dev/null; exec "$2" stop "$3"' sh "$2" "$0" "$1" </dev/null >/dev/null 2>&1 &
  fi
  # By it a container sees its own limits as those of its machine. A host's own is left to it; of one that was killed there
  # is a mount left.
  [ -e /var/lib/lxcfs ] || umount -l /var/lib/lxcfs 2>/dev/null || true
  if ! grep -q ' /var/lib/lxcfs ' /proc/self/mounts; then
    setsid lxcfs -f -p "$1/lxcfs.pid" /var/lib/lxcfs </dev/null >"$1/lxcfs.out" 2>&1 &
    echo $! >"$1/lxcfs"
    number=0
    until [ -e /var/lib/lxcfs/proc/meminfo ]; do
      [ $number -lt 300 ] || { cat "$1/lxcfs.out" >&2; "$0" stop "$1"; exit 1; }
      sleep 0.1
      number=$((number + 1))
    done
  fi
  lxd waitready --timeout 60 || { cat "$1/lxd.out" >&2; "$0" stop "$1"; exit 1; }
  lxc storage create default dir >&2
  lxc profile device add default root disk path=/ pool=default >&2
  network "$1"
}

stop() {
  [ -f "$1/pid" ] || { rm -rf "$1"; return 0; }
  echo $$ >"$1/stopping"
  export LXD_DIR="$1/lxd" LXD_CONF="$1/conf"
  pid=$(cat "$1/pid")
  if grep -qs "^lxd" "/proc/$pid/comm"; then
    # What is busy with an instance ends first.
    for attempt in 1 2 3 4 5; do
      names=$(timeout 60 lxc list --all-projects --format csv --columns en | tr ',' ' ') || names=
      [ -n "$names" ] || break
      echo "$names" | while read -r project name; do
        timeout 120 lxc delete --force --project "$project" "$name" || sleep 1
      done
    done
    lxc profile device remove default eth0 2>/dev/null || true
    timeout 60 lxc network delete "$(bridge "$1")" 2>/dev/null || true
    timeout 60 lxd shutdown --timeout 30 || kill "$pid" 2>/dev/null || true
    timeout 30 tail --pid="$pid" -f /dev/null || kill -9 "$pid" 2>/dev/null || true
  fi
  if [ -f "$1/lxcfs" ]; then
    umount -l /var/lib/lxcfs 2>/dev/null || true
    kill "$(cat "$1/lxcfs")" 2>/dev/null || true
  fi
  ip link delete "$(bridge "$1")" 2>/dev/null || true
  [ -f "$1/had-table" ] || nft delete table inet lxd 2>/dev/null || true
  [ ! -f "$1/forward" ] || cat "$1/forward" >/proc/sys/net/ipv4/ip_forward
  # The innermost first.
  cut -d' ' -f2 /proc/self/mounts | grep -F "$1/lxd" | sort -r | while read -r path; do umount -l "$path" || true; done
  rm -rf --one-file-system "$1"
}

case ${1:-} in
  start | stop | check) "$@" >&2 ;;
  *)
    echo "usage: lxd.sh start FOLDER [PID] | stop FOLDER | check" >&2
    exit 64
    ;;
esac
