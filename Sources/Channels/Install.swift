package import MusterCatalog
package import MusterMatrix

extension InstallStep {
  /// The commands by which a family installs packages. The index of packages is fetched once after each boot of a
  /// machine: a file in /run says that it was.
  package func script(for family: Family) -> GuestScript {
    let names = packages.map { Shell.quote($0) }.joined(separator: " ")
    return switch family {
    case .debian: Self.apt(names)
    case .fedora: Self.dnf(names)
    case .suse: Self.zypper(names)
    case .arch: Self.pacman(names)
    case .alpine: Self.apk(names)
    }
  }

  private static func apt(_ names: String) -> GuestScript {
    GuestScript(
      """
      export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1
      apt() {
        apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any \\
          -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
      }
      if ! test -e /run/muster-index; then
        apt update
        : >/run/muster-index
      fi
      apt install \(names)
      """)
  }

  private static func dnf(_ names: String) -> GuestScript {
    GuestScript(
      """
      export LC_ALL=C.UTF-8
      if command -v dnf >/dev/null; then
        dnf -y --setopt=skip_if_unavailable=0 install \(names) </dev/null
      elif command -v dnf5 >/dev/null; then
        dnf5 -y --setopt=skip_if_unavailable=0 install \(names) </dev/null
      elif command -v yum >/dev/null; then
        yum -y --setopt=skip_if_unavailable=0 install \(names) </dev/null
      else
        microdnf -y install \(names) </dev/null
      fi
      """)
  }

  /// 102 and 103 are successes that ask for a reboot or a restart.
  private static func zypper(_ names: String) -> GuestScript {
    GuestScript(
      """
      export LC_ALL=C.UTF-8 ZYPP_LOCK_TIMEOUT=300
      if ! test -e /run/muster-index; then
        zypper -n refresh </dev/null
        : >/run/muster-index
      fi
      status=0
      zypper -n install -l \(names) </dev/null || status=$?
      case $status in
        0 | 102 | 103) ;;
        *) exit "$status" ;;
      esac
      """)
  }

  /// Arch knows no partial upgrade: what is installed comes with everything else brought up to date. The keyring goes
  /// first, since that of an old image does not know the keys of new packages.
  private static func pacman(_ names: String) -> GuestScript {
    GuestScript(
      """
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
      pacman -Su --noconfirm --needed \(names) </dev/null
      """)
  }

  private static func apk(_ names: String) -> GuestScript {
    GuestScript(
      """
      if ! test -e /run/muster-index; then
        apk --wait 300 update </dev/null
        : >/run/muster-index
      fi
      apk --wait 300 add \(names) </dev/null
      """)
  }
}
