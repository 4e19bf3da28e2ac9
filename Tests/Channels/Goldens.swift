import MusterCatalog
import MusterMatrix

/// Read by people before they were put here, and run on machines where there were some.
enum Goldens {
  static let install: [Family: String] = [
    .debian: #"""
    export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1
    apt() {
      apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
    }
    if ! test -e /run/muster-index; then
      apt update
      : >/run/muster-index
    fi
    apt install 'git' 'it'\''s'
    """#,
    .fedora: #"""
    export LC_ALL=C.UTF-8
    if command -v dnf >/dev/null; then
      dnf -y --setopt=skip_if_unavailable=0 install 'git' 'it'\''s' </dev/null
    elif command -v dnf5 >/dev/null; then
      dnf5 -y --setopt=skip_if_unavailable=0 install 'git' 'it'\''s' </dev/null
    elif command -v yum >/dev/null; then
      yum -y --setopt=skip_if_unavailable=0 install 'git' 'it'\''s' </dev/null
    else
      microdnf -y install 'git' 'it'\''s' </dev/null
    fi
    """#,
    .suse: #"""
    export LC_ALL=C.UTF-8 ZYPP_LOCK_TIMEOUT=300
    if ! test -e /run/muster-index; then
      zypper -n refresh </dev/null
      : >/run/muster-index
    fi
    status=0
    zypper -n install -l 'git' 'it'\''s' </dev/null || status=$?
    case $status in
      0 | 102 | 103) ;;
      *) exit "$status" ;;
    esac
    """#,
    .arch: #"""
    export LC_ALL=C.UTF-8
    if ! test -e /run/muster-index; then
      if test -e /usr/lib/systemd/system/pacman-init.service; then systemctl start pacman-init.service; fi
      if ! test -e /etc/pacman.d/gnupg/trustdb.gpg; then
        pacman-key --init
        pacman-key --populate
      fi
      pacman -Sy --noconfirm --needed archlinux-keyring </dev/null
      : >/run/muster-index
    fi
    pacman -Su --noconfirm --needed 'git' 'it'\''s' </dev/null
    """#,
    .alpine: #"""
    if ! test -e /run/muster-index; then
      apk --wait 300 update </dev/null
      : >/run/muster-index
    fi
    apk --wait 300 add 'git' 'it'\''s' </dev/null
    """#,
  ]

  static let package: [Family: String] = [
    .debian: #"""
    if ! command -v dpkg-query >/dev/null; then
      echo 'dpkg-query is not installed' >&2
      exit 69
    fi
    status=0
    entry=$(dpkg-query -W -f '${db:Status-Abbrev}=${Version}\n' 'greeter') || status=$?
    if test "$status" -gt 1; then exit 69; fi
    entry=$(echo "$entry" | head -n 1)
    case $entry in
      ?i' ='*) echo 'package=installed' ;;
      '' | ?n*) echo 'package=not installed' ;;
      ?c*) echo 'package=removed, configuration left' ;;
      *) echo "package=not installed in full (dpkg state ${entry%%=*})" ;;
    esac
    version=${entry#*=}
    echo "version=$version"
    """#,
    .fedora: #"""
    if ! command -v rpm >/dev/null; then
      echo 'rpm is not installed' >&2
      exit 69
    fi
    export LC_ALL=C
    if version=$(rpm -q --qf '%{EVR}\n' 'greeter'); then
      echo 'package=installed'
      version=$(echo "$version" | tail -n 1)
    else
      case $version in
        *'is not installed') echo 'package=not installed' ;;
        *) exit 69 ;;
      esac
      exit
    fi
    echo "version=$version"
    """#,
    .suse: #"""
    if ! command -v rpm >/dev/null; then
      echo 'rpm is not installed' >&2
      exit 69
    fi
    export LC_ALL=C
    if version=$(rpm -q --qf '%{EVR}\n' 'greeter'); then
      echo 'package=installed'
      version=$(echo "$version" | tail -n 1)
    else
      case $version in
        *'is not installed') echo 'package=not installed' ;;
        *) exit 69 ;;
      esac
      exit
    fi
    echo "version=$version"
    """#,
    .arch: #"""
    if ! command -v pacman >/dev/null; then
      echo 'pacman is not installed' >&2
      exit 69
    fi
    if version=$(pacman -Q 'greeter'); then
      echo 'package=installed'
      version=${version##* }
    else
      echo 'package=not installed'
      exit
    fi
    echo "version=$version"
    """#,
    .alpine: #"""
    if ! command -v apk >/dev/null; then
      echo 'apk is not installed' >&2
      exit 69
    fi
    if apk info -e 'greeter' >/dev/null; then
      echo 'package=installed'
      version=$(apk list --installed 'greeter' | head -n 1)
      version=${version%% *}
      version=${version#'greeter'-}
    else
      echo 'package=not installed'
      exit
    fi
    echo "version=$version"
    """#,
  ]

  /// The checks that every family does in the same way.
  static let checks: [String: (CheckStep, String)] = [
    "command": (
      .command(name: "greeter"),
      #"""
      if path=$(command -v 'greeter'); then
        echo 'command=on PATH'
        echo "path=$path"
      else
        echo 'command=not on PATH'
        echo "PATH is $PATH" >&2
      fi
      """#
    ),
    "service active": (
      .service(name: "greeterd", state: .active),
      #"""
      if test -d /run/systemd/system; then
        if test "$(systemctl show -p LoadState -- 'greeterd')" = LoadState=not-found; then
          echo 'service=no such service'
          exit
        fi
        state=$(systemctl is-active -- 'greeterd') || :
        if test -z "$state"; then exit 69; fi
        systemctl status --no-pager --lines=10 -- 'greeterd' >&2 || :
      elif command -v rc-service >/dev/null; then
        if ! rc-service -e 'greeterd'; then
          echo 'service=no such service'
          exit
        fi
        status=0
        rc-service 'greeterd' status >&2 || status=$?
        case $status in
          0) state=active ;;
          3) state=inactive ;;
          32) state=failed ;;
          *) state="unknown to OpenRC (status $status)" ;;
        esac
      else
        echo 'this machine has neither systemd nor OpenRC' >&2
        exit 69
      fi
      echo "service=$state"
      """#
    ),
    "service enabled": (
      .service(name: "greeterd", state: .enabled),
      #"""
      if test -d /run/systemd/system; then
        if test "$(systemctl show -p LoadState -- 'greeterd')" = LoadState=not-found; then
          echo 'service=no such service'
          exit
        fi
        state=$(systemctl is-enabled -- 'greeterd') || :
        case $state in
          alias | enabled-runtime) state=enabled ;;
        esac
        if test -z "$state"; then exit 69; fi
        systemctl status --no-pager --lines=10 -- 'greeterd' >&2 || :
      elif command -v rc-service >/dev/null; then
        if ! rc-service -e 'greeterd'; then
          echo 'service=no such service'
          exit
        fi
        state=disabled
        for link in /etc/runlevels/*/'greeterd'; do
          if test -L "$link" || test -e "$link"; then state=enabled; fi
        done
      else
        echo 'this machine has neither systemd nor OpenRC' >&2
        exit 69
      fi
      echo "service=$state"
      """#
    ),
    "port tcp": (
      .port(number: 8080, transport: .tcp, open: true),
      #"""
      known=no
      state=closed
      for table in /proc/net/tcp /proc/net/tcp6; do
        test -r "$table" || continue
        known=yes
        while read -r _ local _ status _; do
          case "$local $status" in
            *':1F90 0A') state=open ;;
          esac
        done <"$table"
      done
      if test "$known" = no; then
        echo 'the kernel does not tell its sockets in /proc/net' >&2
        exit 69
      fi
      echo "port=$state"
      """#
    ),
    "port udp": (
      .port(number: 53, transport: .udp, open: false),
      #"""
      known=no
      state=closed
      for table in /proc/net/udp /proc/net/udp6; do
        test -r "$table" || continue
        known=yes
        while read -r _ local _ status _; do
          case "$local $status" in
            *':0035 07') state=open ;;
          esac
        done <"$table"
      done
      if test "$known" = no; then
        echo 'the kernel does not tell its sockets in /proc/net' >&2
        exit 69
      fi
      echo "port=$state"
      """#
    ),
    "user": (
      .user(UserCheck(name: "greeter", home: "/srv", shell: "/bin/sh", groups: ["adm"])),
      #"""
      if ! id -u -- 'greeter' >/dev/null 2>&1; then
        echo 'user=does not exist'
        exit
      fi
      echo 'user=exists'
      if command -v getent >/dev/null; then
        entry=$(getent passwd 'greeter')
      else
        entry=$(grep '^greeter:' /etc/passwd)
      fi
      echo "shell=${entry##*:}"
      entry=${entry%:*}
      echo "home=${entry##*:}"
      groups=$(id -nG -- 'greeter')
      echo "groups=$groups"
      case " $groups " in
        *' ''adm'' '*) echo 'group adm=member' ;;
        *) echo 'group adm=not a member' ;;
      esac
      """#
    ),
    "process": (
      .process(name: "greeterd", running: true),
      #"""
      if ! test -r /proc/self/status; then
        echo 'the kernel does not tell its processes in /proc' >&2
        exit 69
      fi
      state='not running'
      for folder in /proc/[0-9]*; do
        test "${folder#/proc/}" != $$ || continue
        read -r name 2>/dev/null <"$folder/comm" || continue
        test "$name" = 'greeterd' || continue
        while read -r key value _; do
          if test "$key" = State: && test "$value" != Z && test "$value" != X; then state=running; fi
        done 2>/dev/null <"$folder/status" || :
      done
      echo "process=$state"
      """#
    ),
    "process long": (
      .process(name: "greeter-with-a-long-name", running: true),
      #"""
      if ! test -r /proc/self/status; then
        echo 'the kernel does not tell its processes in /proc' >&2
        exit 69
      fi
      state='not running'
      for folder in /proc/[0-9]*; do
        test "${folder#/proc/}" != $$ || continue
        read -r name 2>/dev/null <"$folder/comm" || continue
        test "$name" = 'greeter-with-a-' || continue
        called=$(tr '\0' '\n' 2>/dev/null <"$folder/cmdline" | head -n 1) || continue
        test "${called##*/}" = 'greeter-with-a-long-name' || continue
        while read -r key value _; do
          if test "$key" = State: && test "$value" != Z && test "$value" != X; then state=running; fi
        done 2>/dev/null <"$folder/status" || :
      done
      echo "process=$state"
      """#
    ),
    "file": (
      .file(FileCheck(path: "/etc/g")),
      #"""
      if test -L '/etc/g' && ! test -e '/etc/g'; then
        echo 'file=is a dangling link'
        exit
      elif test -e '/etc/g'; then
        echo 'file=exists'
      else
        echo 'file=does not exist'
        exit
      fi
      """#
    ),
    "file absent": (
      .file(FileCheck(path: "/etc/g", kind: .absent)),
      #"""
      if test -L '/etc/g' && ! test -e '/etc/g'; then
        echo 'file=is a dangling link'
        exit
      elif test -e '/etc/g'; then
        echo 'file=exists'
      else
        echo 'file=does not exist'
        exit
      fi
      """#
    ),
    "file all": (
      .file(FileCheck(path: "/etc/g", kind: .file, mode: 0o644, owner: "root:adm", contains: "x", sha256: "ab")),
      #"""
      if test -L '/etc/g' && ! test -e '/etc/g'; then
        echo 'file=is a dangling link'
        exit
      elif test -e '/etc/g'; then
        echo 'file=exists'
      else
        echo 'file=does not exist'
        exit
      fi
      if test -f '/etc/g'; then
        echo 'type=file'
      elif test -d '/etc/g'; then
        echo 'type=directory'
      else
        echo 'type=other'
      fi
      if ! mode=$(stat -L -c %a '/etc/g'); then exit 69; fi
      printf 'mode=%04d\n' "$mode"
      if ! owner=$(stat -L -c %U '/etc/g'); then exit 69; fi
      echo "owner=$owner"
      if ! group=$(stat -L -c %G '/etc/g'); then exit 69; fi
      echo "group=$group"
      if ! command -v sha256sum >/dev/null; then
        echo 'sha256sum is not installed' >&2
        exit 69
      fi
      if ! sum=$(sha256sum <'/etc/g'); then exit 69; fi
      echo "sha256=${sum%% *}"
      status=0
      grep -F -q -e 'x' <'/etc/g' || status=$?
      case $status in
        0) echo 'content=as expected' ;;
        1) echo 'content=the text does not occur' ;;
        *) exit 69 ;;
      esac
      """#
    ),
    "file link": (
      .file(FileCheck(path: "/etc/g", kind: .link, mode: 0o777)),
      #"""
      if test -L '/etc/g' && ! test -e '/etc/g'; then
        echo 'file=exists'
      elif test -e '/etc/g'; then
        echo 'file=exists'
      else
        echo 'file=does not exist'
        exit
      fi
      if test -L '/etc/g'; then
        echo 'type=link'
      elif test -f '/etc/g'; then
        echo 'type=file'
      elif test -d '/etc/g'; then
        echo 'type=directory'
      else
        echo 'type=other'
      fi
      if ! mode=$(stat -c %a '/etc/g'); then exit 69; fi
      printf 'mode=%04d\n' "$mode"
      """#
    ),
  ]
}
