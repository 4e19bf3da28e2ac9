import MusterCatalog
import MusterMatrix

/// The database in which a package manager keeps what is installed: an exit status alone is never believed.
enum PackageDatabase: Sendable {
  case dpkg
  case rpm
  case pacman
  case apk

  /// The channel's; `nil` for one that has none.
  init?(_ channel: ChannelStep.Channel) {
    switch channel {
    case .apt: self = .dpkg
    case .rpm: self = .rpm
    case .aur: self = .pacman
    case .apk: self = .apk
    case .pypi, .appimage, .homebrew: return nil
    }
  }

  /// That of a distro's own packages.
  init(_ family: Family) {
    self =
      switch family {
      case .debian: .dpkg
      case .fedora, .suse: .rpm
      case .arch: .pacman
      case .alpine: .apk
      }
  }

  /// A command that prints `NAME=VERSION` for all that is installed, the version as `installed` tells it.
  var all: String {
    switch self {
    case .dpkg: "dpkg-query -W -f '${db:Status-Status}:${Package}=${Version}\\n' | sed -n 's/^installed://p'"
    case .rpm: "rpm -qa --qf '%{NAME}=%{EVR}\\n'"
    case .pacman: "pacman -Q | tr ' ' ="
    case .apk: "apk list --installed 2>/dev/null | sed 's/ .*//; s/-\\([0-9][^-]*-r[0-9]*\\)$/=\\1/'"
    }
  }

  /// The name of the package in a file, as a word of a script.
  func name(inFile file: String) -> String {
    switch self {
    case .dpkg: "\"$(dpkg-deb -f \(Shell.quote(file)) Package)\""
    case .rpm: "\"$(rpm -qp --qf '%{NAME}' \(Shell.quote(file)) 2>/dev/null)\""
    case .pacman: "\"$(pacman -Qpq \(Shell.quote(file)))\""
    case .apk: "\"$(tar -xzOf \(Shell.quote(file)) .PKGINFO 2>/dev/null | sed -n 's/^pkgname = //p')\""
    }
  }

  /// A function `files`: the paths of the package `$1`, a line each.
  var files: String {
    switch self {
    case .dpkg: "files() { dpkg -L \"$1\"; }"
    case .rpm: "files() { rpm -ql \"$1\"; }"
    case .pacman: "files() { pacman -Qlq \"$1\"; }"
    case .apk: "files() { \(Self.apkFiles); }"
    }
  }

  /// apk tells paths without their first `/`.
  private static let apkFiles = #"apk info --quiet --contents "$1" | sed '/^$/d; s|^|/|'"#

  /// A function `owned`, which succeeds if a package that is installed has the file `$1`.
  var owned: String {
    switch self {
    case .dpkg: "owned() { dpkg -S \"$1\" >/dev/null 2>&1; }"
    case .rpm: "owned() { rpm -qf \"$1\" >/dev/null 2>&1; }"
    case .pacman: "owned() { pacman -Qo \"$1\" >/dev/null 2>&1; }"
    case .apk: "owned() { apk info --who-owns \"$1\" >/dev/null 2>&1; }"
    }
  }

  /// A function `installed`: the version of the package `$1`, and success, if it is installed in full. A package whose
  /// script has failed is in dpkg's database in another state than `ii`.
  var installed: String {
    switch self {
    case .dpkg:
      """
      installed() {
        entry=$(dpkg-query -W -f '${db:Status-Abbrev}=${Version}\\n' "$1" 2>&1 | head -n 1)
        echo "$1: $entry" >&2
        case $entry in
          ?i' ='*) echo "${entry#*=}" ;;
          *) return 1 ;;
        esac
      }
      """
    case .rpm:
      """
      installed() {
        entry=$(rpm -q --qf '%{EVR}\\n' "$1") || return 1
        echo "$entry" | tail -n 1
      }
      """
    case .pacman:
      """
      installed() {
        entry=$(pacman -Q "$1") || return 1
        echo "${entry##* }"
      }
      """
    case .apk:
      // The database marks (`f:`) a package whose script has failed, or whose files are not all there.
      """
      installed() {
        apk info -e "$1" >/dev/null || return 1
        broken=$(awk -v "name=$1" '/^P:/ { own = $0 == "P:" name } own && /^f:.*[fs]/' /lib/apk/db/installed 2>/dev/null) || :
        if test -n "$broken"; then return 1; fi
        entry=$(apk list --installed "$1" 2>/dev/null | head -n 1)
        entry=${entry%% *}
        echo "${entry#"$1"-}"
      }
      """
    }
  }

  /// A function `changed`: what is not as it was packed of the package `$1`. A configuration file is the
  /// administrator's to change. `dpkg --verify` ends with 0 whatever it finds, so its words count.
  var changed: String {
    switch self {
    case .dpkg: "changed() { dpkg --verify \"$1\" 2>&1 | grep -v '^[^ ]* *c ' || :; }"
    case .rpm: "changed() { rpm -V \"$1\" 2>&1 | grep -v '^[^ ]* *c ' || :; }"
    case .pacman:
      """
      changed() {
        if ! found=$(pacman -Qkk "$1" 2>&1 >/dev/null); then echo "$found" | grep -v '^backup file:' || :; fi
      }
      """
    case .apk:
      // What is wrong with the whole system, by one letter and a path; of it, what is the package's.
      """
      changed() {
        \(Self.apkFiles) >/run/muster-files
        apk audit --system 2>/dev/null | sed -n 's|^[UMX] |/|p' | grep -xF -f /run/muster-files || :
      }
      """
    }
  }

  /// A function `settings`: the configuration files of the package `$1`, a line each.
  var settings: String {
    switch self {
    case .dpkg:
      "settings() { dpkg-query -W -f '${Conffiles}\\n' \"$1\" 2>/dev/null | sed -n 's/^ *\\(\\/[^ ]*\\) .*/\\1/p'; }"
    case .rpm: "settings() { rpm -qc \"$1\" | grep '^/' || :; }"
    case .pacman:
      "settings() { pacman -Qii \"$1\" | sed -n '/^Backup Files/,$p' | grep -o '/[^[:space:]]*' || :; }"
    // All that is in /etc is the administrator's.
    case .apk: "settings() { apk info --quiet --contents \"$1\" | sed -n 's|^etc/|/etc/|p'; }"
    }
  }
}

extension ChannelStep {
  /// A line that sets the positional parameters to the names of the release's packages.
  func names(_ database: PackageDatabase, _ place: ChannelPlace) -> String {
    if !packages.isEmpty { return "set -- \(words)" }
    if let file = file(place) { return "set -- \(database.name(inFile: file))" }
    return "set -- $(cat \(place.names))"
  }
}
