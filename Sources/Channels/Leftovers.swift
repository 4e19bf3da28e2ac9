import MusterCatalog
import MusterMatrix

/// What the system had before a release was installed, and what it has after it was removed.
///
/// Both are lists of lines `KIND<tab>STATE<tab>NAME`: files with their type, mode, owner and size (settings in `/etc` with what is
/// in them), accounts, alternatives, diversions, units that run without a file, and processes whose program is gone.
struct Leftovers {
  var place: ChannelPlace
  var family: Family

  /// A function that prints the list. Only file systems that keep what is written to them are looked at.
  private var list: String {
    #"""
    export LC_ALL=C
    list() {
      awk '$3 ~ /^(ext[234]|xfs|btrfs|f2fs|vfat|zfs|overlay|ubifs)$/ { print $2 }' /proc/mounts | sort -u |
        while read -r mount; do find "$mount" -xdev -exec stat -c 'file|%F, mode %a of %U:%G, %s bytes|%n' {} +; done 2>/dev/null |
        awk -F'|' '{ if ($2 ~ /^directory/) sub(/, [0-9]* bytes$/, "", $2); print $1 "\t" $2 "\t" $3 }'
      find /etc -xdev -type f -exec sha256sum {} + | awk '{ sum = $1; sub(/^[0-9a-f]*  /, ""); print "content\t" sum "\t" $0 }'
      \#(PackageDatabase(family).all) | awk -F= '{ print "package\t" $2 "\t" $1 }'
      getent passwd | awk -F: '{ print "user\t" $3 " " $6 " " $7 "\t" $1 }'
      getent group | awk -F: '{ print "group\t" $3 "\t" $1 }'
      for link in /etc/alternatives/*; do
        if test -L "$link"; then printf 'alternative\t%s\t%s\n' "$(readlink "$link")" "${link##*/}"; fi
      done
      if command -v dpkg-divert >/dev/null; then dpkg-divert --list | sed 's/.*/diversion\t-\t&/'; fi
      if test -d /run/systemd/system; then
        systemctl list-units --all --plain --no-legend | awk '$2 == "not-found" && $3 == "active" { print "unit\twithout a file\t" $1 }'
      fi
      for process in /proc/[0-9]*; do
        program=$(readlink "$process/exe" || :)
        case $program in
          *' (deleted)') printf 'process\twithout a program\t%s\n' "${program% (deleted)}" ;;
        esac
      done
    }
    """#
  }

  var snapshot: GuestScript {
    GuestScript(
      """
      \(list)
      mkdir -p \(place.folder)
      list | sort -u >\(place.before)
      wc -l <\(place.before) >&2
      """)
  }

  /// - Parameter purged: Whether configuration files must be gone as well.
  func compare(ignored: [Lifecycle.Ignored], purged: Bool) -> GuestScript {
    let table = LeftoverReason.table.map { reason in
      "# \(reason.why)\n    \(Self.pattern(reason.paths)))  return ;;"
    }
    let persons = ignored.map { ignored in
      (ignored.reason.map { "# \($0)\n    " } ?? "") + "\(Self.pattern([ignored.path])))  return ;;"
    }
    let settings =
      purged ? "" : "\n  if grep -qxF -e \"$1\" \(place.settings) 2>/dev/null; then return; fi"
    return GuestScript(
      """
      \(list)
      \(PackageDatabase(family).files)
      tell() {
        case $1 in
          \((table + persons).joined(separator: "\n    "))
        esac
        if grep -qxF -e "$1" /run/\(place.name).theirs; then return; fi
        # What is below a folder that is left is not told again.
        if test -n "$folder" && test "${1#"$folder"/}" != "$1"; then return; fi
        case $2 in
          'left'*directory*) folder=$1 ;;
        esac\(settings)
        echo "$1 $2"
      }
      if ! test -s \(place.before); then
        echo 'what the system had before is not known any more: \(place.before) is gone' >&2
        exit 1
      fi
      list | sort -u >/run/\(place.name).after
      : >/run/\(place.name).packages
      awk -F'\\t' -v packages=/run/\(place.name).packages '
        { key = $1 "\\t" $3 }
        NR == FNR { before[key] = $2; next }
        { after[key] = 1 }
        # Of packages that came meanwhile, or in another version, the files are theirs.
        $1 == "package" && before[key] != $2 { print $3 >packages }
        $1 == "package" { next }
        !(key in before) {
          # Distros advise to leave accounts that nobody can log in to, lest another gets their number.
          if ($1 == "user" && $2 + 0 < 1000 && $2 ~ /(nologin|false)$/) next
          if ($1 == "group" && $2 + 0 < 1000) next
          if ($1 == "content") next
          print $3 "\\t" "left: " ($1 == "file" ? "" : $1 " ") $2
          next
        }
        before[key] != $2 {
          if ($1 == "content") print $3 "\\tchanged: it says something else"
          else print $3 "\\tchanged: " $1 " " before[key] " is now " $2
        }
        END { for (key in before) if (!(key in after)) {
          split(key, part, "\\t")
          if (part[1] !~ /^(content|package|process|unit)$/) print part[2] "\\tgone: " part[1] " " before[key]
        } }
      ' \(place.before) /run/\(place.name).after | sort >/run/\(place.name).differences
      while read -r name; do files "$name" </dev/null || :; done </run/\(place.name).packages |
        sed 's|/$||; p; s|^|/usr|' >/run/\(place.name).theirs
      folder=
      tab=$(printf '\\t')
      while IFS=$tab read -r name what; do tell "$name" "$what"; done </run/\(place.name).differences >/run/\(place.name).leftovers
      if test -s /run/\(place.name).leftovers; then
        cat /run/\(place.name).leftovers >&2
        echo "leftovers=$(wc -l </run/\(place.name).leftovers), such as $(head -n 1 /run/\(place.name).leftovers)"
      else
        echo leftovers=none
      fi
      """, facts: [Fact("leftovers", equals: "none")])
  }

  /// Paths, and all below them, as a pattern of `case`; one that ends in `/` is that folder alone. What is special to a shell but `*` is quoted.
  private static func pattern(_ paths: [String]) -> String {
    paths.map { path in
      let words = path.split(separator: "*", omittingEmptySubsequences: false).map { part in
        part.isEmpty || part.utf8.allSatisfy(isPlain) ? String(part) : Shell.quote(String(part))
      }.joined(separator: "*")
      if path.hasSuffix("/") { return String(words.dropLast()) }
      return path.hasSuffix("*") ? words : "\(words) | \(words)/*"
    }.joined(separator: " | ")
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"), UInt8(ascii: "+"):
      true
    default: false
    }
  }
}

/// Paths that change by themselves, or that a release does not answer for, and why. Piuparts ignores most of them too.
struct LeftoverReason {
  var why: String
  var paths: [String]

  static let table = [
    LeftoverReason(
      why: "accounts are compared one by one",
      paths: [
        "/etc/passwd*", "/etc/group*", "/etc/shadow*", "/etc/gshadow*", "/etc/subuid*", "/etc/subgid*",
        "/etc/.pwd.lock",
      ]),
    LeftoverReason(
      why: "the package managers' own",
      paths: [
        "/var/lib/dpkg", "/var/lib/apt", "/var/lib/ucf", "/var/lib/rpm", "/usr/lib/sysimage", "/var/lib/dnf",
        "/var/lib/zypp", "/var/lib/pacman", "/var/lib/PackageKit", "/var/lib/swcatalog", "/etc/pacman.d/gnupg",
        "/var/log/apt", "/var/log/dpkg.log*", "/var/log/alternatives.log*", "/var/log/dnf*", "/var/log/hawkey.log*",
        "/var/log/zypp*", "/var/log/pacman.log", "/var/cache/apt", "/var/cache/debconf", "/var/cache/dnf",
        "/var/cache/libdnf5", "/var/cache/yum", "/var/cache/zypp", "/var/cache/pacman", "/root/.rpmdb", "/lib/apk",
        "/usr/lib/apk", "/etc/apk/world", "/var/lib/update-notifier", "/var/lib/ubuntu-advantage",
        "/var/lib/command-not-found", "/.snapshots", "/var/cache/apk", "/home/linuxbrew/.linuxbrew/Homebrew",
        "/home/linuxbrew/.linuxbrew/var/homebrew", "/home/linuxbrew/.homebrew", "/home/linuxbrew/.config/homebrew",
      ]),
    LeftoverReason(
      why: "made anew from what is installed",
      paths: [
        "/etc/ld.so.cache", "/var/cache/ldconfig", "/var/cache/man", "/var/cache/fontconfig", "/usr/share/info/dir*",
        "/usr/share/mime", "/usr/share/applications/mimeinfo.cache", "/usr/share/icons/*/icon-theme.cache",
        "/usr/share/icons/*/.icon-theme.cache", "/usr/share/glib-2.0/schemas/gschemas.compiled", "/etc/mailcap",
        "/var/lib/systemd/catalog/database", "/usr/lib/udev/hwdb.bin", "/etc/udev/hwdb.bin", "*/loaders.cache",
        "*/giomodule.cache", "/etc/machine-id", "/var/lib/dbus/machine-id", "/usr/lib/locale/locale-archive", "/boot",
        "*/__pycache__", "/etc/systemd/system/*.wants/", "/etc/systemd/system/*.requires/",
        "/var/lib/systemd/deb-systemd-helper-enabled/", "/var/lib/systemd/deb-systemd-helper-enabled/*.wants/",
        "/var/lib/systemd/deb-systemd-helper-masked/",
      ]),
    LeftoverReason(
      why: "volatile",
      paths: [
        "/dev", "/run", "/tmp", "/var/tmp", "/var/backups", "/var/mail", "/var/spool/mail", "/var/log/journal",
        "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/var/log/faillog", "/var/log/syslog",
        "/var/log/messages", "/var/log/auth.log", "/var/log/secure", "/var/log/kern.log", "/var/log/daemon.log",
        "/var/log/user.log", "/var/log/debug", "/var/log/cron", "/var/log/audit",
      ]),
    LeftoverReason(why: "the administrator's data", paths: ["/srv", "/var/www", "/lost+found"]),
    LeftoverReason(
      why: "a virtual machine's own",
      paths: [
        "/var/lib/cloud", "/var/log/cloud-init*", "/home/*/.cache", "/root/.cache", "/root/.bash_history",
        "/root/.lesshst",
        "/var/lib/snapd", "/var/lib/fwupd", "/var/lib/systemd/random-seed", "/var/lib/systemd/timers",
        "/var/lib/systemd/timesync", "/var/lib/systemd/coredump", "/var/lib/systemd/credential.secret",
        "/var/lib/systemd/linger", "/var/lib/private", "/var/cache/private", "/var/log/private", "/etc/resolv.conf",
        "/etc/adjtime", "/var/lib/chrony", "/var/lib/logrotate", "/var/lib/misc", "/var/lib/NetworkManager",
        "/var/lib/dhcp", "/etc/.updated", "/var/.updated",
      ]),
    LeftoverReason(
      why: "Muster's own",
      paths: [
        "/var/lib/muster", "/opt/muster-*", "/etc/apt/sources.list.d/muster-*", "/etc/apt/keyrings",
        "/etc/yum.repos.d/muster-*",
        "/etc/zypp/repos.d/muster-*", "/etc/pacman.conf", "/etc/pacman.d/muster-*", "/etc/apk/repositories",
        "/etc/apk/keys",
      ]),
  ]
}
