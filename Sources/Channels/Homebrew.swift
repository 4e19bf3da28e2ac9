import MusterCatalog
import MusterMatrix

/// A release by Homebrew on Linux. brew refuses to be root, so it is called as the plain user whom the prefix belongs to.
package struct Homebrew {
  var step: ChannelStep
  var place: ChannelPlace

  /// Hosts that Homebrew itself, and most that is published by it, is downloaded from: no publisher answers for them.
  package static let hosts = ["ghcr.io", "formulae.brew.sh", "github.com", "githubusercontent.com"]

  /// The only prefix that Homebrew's own packages are built for.
  private static let prefix = "/home/linuxbrew/.linuxbrew"
  /// The user who gets Homebrew where there is none yet.
  private static let user = "linuxbrew"
  /// The tap that a folder becomes. An upgrade brings its new state.
  private static let tap = "muster/tap"

  /// What Homebrew wants from a distro: a C compiler and the tools that it downloads by.
  static func packages(of family: Family) -> [String] {
    switch family {
    case .debian: ["build-essential", "procps", "curl", "file", "git"]
    case .fedora: ["gcc", "gcc-c++", "make", "procps-ng", "curl", "file", "git", "util-linux"]
    case .suse: ["gcc", "gcc-c++", "make", "procps", "curl", "file", "git", "util-linux"]
    case .arch: ["base-devel", "procps-ng", "curl", "file", "git"]
    case .alpine: []
    }
  }

  func script(for part: ChannelPart) -> GuestScript {
    switch part {
    case .bring: bring
    case .add: add
    case .fetch: does("fetch --retry")
    case .install: does("install --formula")
    case .prepare: does("install --formula --only-dependencies --include-test")
    case .upgrade: does("upgrade --formula")
    case .reinstall: does("reinstall --formula")
    case .remove, .purge: does("uninstall --formula --force")
    case .removed: removed
    case .prepareTest: does("install --formula --only-dependencies --include-test")
    case .check(.version): version
    case .check(.scripts): ChannelChecks.scripts
    case .check(.linkage): linkage
    case .check(.test): test
    default: GuestScript("")
    }
  }

  /// The full names: only a formula that is named in full is trusted without the rest of its tap.
  private var names: String {
    step.packages.map { name in
      Shell.quote(step.tap == nil ? name : "\(Self.tap)/\(name)")
    }.joined(separator: " ")
  }

  /// A function `brew`. It must not ask, tidy up or bring itself up to date while it is watched.
  private var brew: String {
    """
    export LC_ALL=C.UTF-8 HOMEBREW_NO_AUTO_UPDATE=1 HOMEBREW_NO_ASK=1 HOMEBREW_NO_ANALYTICS=1 \\
      HOMEBREW_NO_ENV_HINTS=1 HOMEBREW_NO_INSTALL_CLEANUP=1 HOMEBREW_NO_AUTOREMOVE=1 HOMEBREW_CURL_RETRIES=5
    export PATH="\(Self.prefix)/bin:\(Self.prefix)/sbin:$PATH"
    user=$(stat -c %U \(Self.prefix) 2>/dev/null) || user=\(Self.user)
    home=$(getent passwd "$user" | cut -d : -f 6)
    cd /
    brew() { runuser -u "$user" -- env HOME="${home:-/home/\(Self.user)}" brew "$@" </dev/null; }
    set -- \(names)
    """
  }

  private func does(_ command: String) -> GuestScript {
    GuestScript("\(brew)\nbrew \(command) \"$@\"")
  }

  /// Where Homebrew is already, it is used as it is. Its installer wants no other rights than to write to /home/linuxbrew.
  private var bring: GuestScript {
    GuestScript(
      """
      export LC_ALL=C.UTF-8
      if ! test -x \(Self.prefix)/bin/brew; then
        if ! id -u \(Self.user) >/dev/null 2>&1; then useradd -m -d /home/\(Self.user) -s /bin/bash \(Self.user); fi
        chmod 755 /home/\(Self.user)
        installer=$(mktemp)
        curl --fail --silent --show-error --location --retry 5 --output "$installer" \\
          https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh
        chmod 644 "$installer"
        cd /
        runuser -u \(Self.user) -- env HOME=/home/\(Self.user) USER=\(Self.user) NONINTERACTIVE=1 /bin/bash "$installer" </dev/null
        rm "$installer"
      fi
      """)
  }

  /// A tap is a folder below Homebrew's own. Since Homebrew 6 what comes from one must be trusted.
  private var add: GuestScript {
    let tapping =
      step.tap == nil
      ? """
      for name; do
        case $name in
          */*/*) brew tap "${name%/*}" ;;
        esac
      done
      """
      : """
      folder=$(brew --repository \(Self.tap))
      rm -rf "$folder"
      mkdir -p "${folder%/*}"
      cp -R \(place.repository) "$folder"
      chown "$user": "${folder%/*/*}"
      chown -R "$user": "${folder%/*}"
      """
    return GuestScript(
      """
      \(brew)
      \(tapping)
      if brew commands --quiet | grep -qx trust; then
        for name; do
          case $name in
            */*/*) brew trust --formula "$name" ;;
          esac
        done
      fi
      """)
  }

  // MARK: - Checks

  /// Several versions may be installed beside each other; the one that is linked counts. Homebrew's own revisions (`_1`)
  /// are no part of a version.
  private var version: GuestScript {
    GuestScript(
      """
      \(brew)
      state=installed
      version=
      for name; do
        if found=$(brew list --formula --versions "$name"); then
          echo "$found" >&2
          linked=$(readlink "$(brew --prefix "$name")") || linked=
          found=${found##* }
          if test -n "$linked"; then found=${linked##*/}; fi
          if test -z "$version"; then version=${found%_[0-9]*}; fi
        else
          state="$name is not installed"
        fi
      done
      echo "package=$state"
      echo "version=$version"
      """,
      facts: Fact.installed(step.version))
  }

  private var linkage: GuestScript {
    GuestScript(
      """
      \(brew)
      state='in order'
      for name; do
        if ! found=$(brew linkage --test "$name" 2>&1); then
          echo "$found" >&2
          state="$name: $(echo "$found" | tr -s '\\n ' ' ' | cut -c 1-200)"
        fi
      done
      echo "linkage=$state"
      """, facts: [Fact("linkage", equals: "in order")])
  }

  private var test: GuestScript {
    GuestScript(
      """
      \(brew)
      state=passed
      for name; do
        if ! brew test "$name" >&2; then state="$name does not pass its own test"; fi
      done
      echo "test=$state"
      """, facts: [Fact("test", equals: "passed")])
  }

  /// What Homebrew installs for one release is a folder of its own, and links to what is in it.
  private var removed: GuestScript {
    GuestScript(
      """
      \(brew)
      state=removed
      prefix=$(brew --prefix)
      for name; do
        if brew list --formula --versions "$name" >&2; then state="$name is still installed"; fi
        name=${name##*/}
        if test -e "$prefix/Cellar/$name"; then state="$prefix/Cellar/$name is still there"; fi
        link=$(find "$prefix" -path "$prefix/Cellar" -prune -o -type l -lname "*/Cellar/$name/*" -print | head -n 1)
        if test -n "$link"; then state="$link is still there"; fi
      done
      echo "package=$state"
      """, facts: [Fact("package", equals: "removed")])
  }
}

extension ChannelStep {
  /// The folder that is made a tap of.
  fileprivate var tap: String? {
    if case .formula(let tap) = source { tap } else { nil }
  }
}
