import MusterCatalog
import MusterMatrix

/// What is looked at once a release is installed: by the package manager's own database, never by an exit status alone.
/// Each prints a line `name=value` for each fact, as a `check` does, and evidence on standard error.
struct ChannelChecks {
  var step: ChannelStep
  var database: PackageDatabase
  var place: ChannelPlace
  var family: Family

  func script(for check: ChannelStep.Check) -> GuestScript {
    switch check {
    case .version: version
    case .files: files
    case .libraries: libraries
    case .glibc: glibc
    case .desktop: desktop
    case .units: units
    case .permissions: permissions
    case .scripts: Self.scripts
    // Of other channels alone.
    case .dependencies, .linkage, .test, .sha256, .format, .start: GuestScript("")
    }
  }

  /// Nothing is executed.
  static let scripts = GuestScript("# look through what the package manager printed when it installed")

  var head: String {
    """
    export LC_ALL=C
    \(step.names(database, place))
    """
  }

  private var version: GuestScript {
    let look =
      origin == nil
      ? "" : "if ! ours \"$name\" \"$found\"; then state=\"$name $found is not from the release's repository\"; fi"
    return Self.version(
      of: step, definitions: [head, database.installed, origin].compactMap(\.self).joined(separator: "\n"),
      loop: "for name", ask: "installed \"$name\"", look: look, absence: "is not installed in full",
      older: place.older)
  }

  /// The state and the version of each package. Without a version that is asked for, it must be another one after an
  /// upgrade than before; of several packages, some may be the same in both releases.
  /// - Parameters:
  ///   - definitions: What comes first; may be empty.
  ///   - loop: The head of a loop over each `name`.
  ///   - ask: A command that prints the version of `name`, and fails if it is not there.
  ///   - look: What else is done with each that is `found`.
  ///   - older: The file with what was noted before an upgrade, a line `NAME=VERSION` each.
  static func version(
    of step: ChannelStep, definitions: String, loop: String, ask: String, look: String = "", absence: String,
    older: String
  ) -> GuestScript {
    let isOpen = step.version == nil
    let comparison =
      "if grep -qxF -e \"$name=$found\" \(older) 2>/dev/null; then same=\"$name is still $found\"; else newer=yes; fi"
    let looks = [isOpen ? comparison : "", look].filter { !$0.isEmpty }.map { "\n    \($0)" }.joined()
    let judgement = "if test -n \"${same:-}\" && test -z \"${newer:-}\"; then state=\"$same after the upgrade\"; fi"
    return GuestScript(
      """
      \(definitions.isEmpty ? "" : "\(definitions)\n")state=installed
      version=
      \(loop); do
        if found=$(\(ask)); then
          if test -z "$version"; then version=$found; fi
          echo "version of $name=$found"\(looks)
        else
          state="$name \(absence)"
        fi
      done\(isOpen ? "\n\(judgement)" : "")
      echo "package=$state"
      echo "version=$version"
      """,
      facts: Fact.installed(step.version, others: step.packages.dropFirst()))
  }

  /// Without a version that is asked for, it must be one that the release's own repository has: a function `ours`, which
  /// succeeds if that has the package `$1` in the version `$2`; `nil` where a version is asked for, or where nobody could tell.
  private var origin: String? {
    guard step.version == nil, step.repository != nil else { return nil }
    return switch (database, family) {
    case (.dpkg, _):
      """
      plain() { sed 's|//[^/@]*@|//|; s|^file://|file:|; s|/*$||'; }
      address=$(sed -n 's/^URIs: //p' /etc/apt/sources.list.d/\(place.name).sources | plain)
      ours() {
        apt-cache madison "$1" | awk -F ' *[|] *' -v "version=$2" '$2 == version { sub(/ .*/, "", $3); print $3 }' |
          plain | grep -qxF -e "$address"
      }
      """
    case (.rpm, .suse):
      """
      ours() {
        zypper -n --no-refresh search --details --match-exact --repo \(place.name) "$1" </dev/null | grep -qF -e " | $2 "
      }
      """
    case (.rpm, _):
      """
      ours() {
        for tool in dnf dnf5; do
          command -v "$tool" >/dev/null || continue
          "$tool" -q --disablerepo='*' --enablerepo=\(place.name) repoquery --qf '%{evr}\\n' "$1" </dev/null | grep -qxF -e "$2"
          return
        done
      }
      """
    case (.pacman, _):
      """
      ours() {
        pacman -Sl "$(sed -n '1s/^.\\(.*\\).$/\\1/p' /etc/pacman.d/\(place.name).conf)" | cut -d ' ' -f 2,3 | grep -qxF -e "$1 $2"
      }
      """
    case (.apk, _): nil
    }
  }

  private var files: GuestScript {
    GuestScript(
      """
      \(head)
      \(database.changed)
      state='as they were packed'
      for name; do
        found=$(changed "$name")
        if test -n "$found"; then
          state="not as they were packed: $(echo "$found" | head -n 1 | sed 's/^[^/]*//')"
          echo "$found" >&2
        fi
      done
      echo "files=$state"
      """, facts: [Fact("files", equals: "as they were packed")])
  }

  // MARK: - Programs

  /// What the loader says of each program and library of the packages, once for all checks that read it: blocks of a
  /// line `file: PATH` and what `ldd` prints.
  private var loader: String {
    // musl's loader says it in other words.
    let words =
      family == .alpine ? " | sed 's/^Error loading shared library \\([^:]*\\): .*/\\1 => not found/'" : " || :"
    return """
      \(head)
      \(database.files)
      loader=\(place.loader)
      if ! test -e "$loader"; then
        for name; do files "$name"; done | while read -r file; do
          if test -f "$file" && ! test -L "$file"; then printf '%s\\0' "$file"; fi
        done | xargs -0 -r grep -lsa -m 1 "^$(printf '\\177')ELF" | while read -r file; do
          echo "file: $file"
          ldd "$file" 2>&1\(words)
        done >"$loader"
      fi
      """
  }

  /// A library that is in a folder of its own is found by those that know the folder, such as the program that loads a
  /// plugin; a program that people start must find its libraries by itself.
  private var libraries: GuestScript {
    GuestScript(
      """
      \(loader)
      state='all there'
      grep -e '^file: ' -e ' => not found' "$loader" | while read -r first rest; do
        if test "$first" = file:; then file=$rest; continue; fi
        case $file in
          /bin/* | /sbin/* | /usr/bin/* | /usr/sbin/* | /usr/games/* | /usr/local/bin/*) ;;
          *) if test -n "$(find /usr /opt /lib -name "$first" -print 2>/dev/null | head -n 1)"; then continue; fi ;;
        esac
        echo "$first, which $file needs"
      done >"$loader.missing"
      if test -s "$loader.missing"; then
        state="missing: $(head -n 1 "$loader.missing")"
        cat "$loader.missing" >&2
      fi
      echo "libraries=$state"
      """, facts: [Fact("libraries", equals: "all there")])
  }

  /// The tool that names the symbol is brought only once the verdict is clear.
  private var glibc: GuestScript {
    let bring =
      switch family {
      case .debian: "apt-get update && apt-get -y install binutils"
      case .fedora: "dnf -y install binutils"
      case .suse: "zypper -n install binutils"
      case .arch: "pacman -S --noconfirm binutils"
      case .alpine: "apk add binutils"
      }
    return GuestScript(
      """
      \(loader)
      has=$(ldd --version 2>&1 | sed -n '1s/.* //p')
      state='new enough'
      found=$(grep -e '^file: ' -e ": version .* not found" "$loader" | grep -m 1 -B 1 ": version " || :)
      if test -n "$found"; then
        grep ": version " "$loader" >&2
        file=$(echo "$found" | sed -n 's/^file: //p')
        wanted=$(echo "$found" | sed -n "s/.*: version [\\`']*\\([A-Za-z0-9_.]*\\)' not found.*/\\1/p")
        if ! command -v readelf >/dev/null; then { \(bring); } </dev/null >/dev/null 2>&1 || :; fi
        symbol=$(readelf --dyn-syms -W "$file" 2>/dev/null | sed -n "s/.* \\([^ ]*\\)@$wanted\\( .*\\)*$/\\1/p" | head -n 1)
        state="$file needs $wanted${symbol:+ for $symbol}, and this distro has glibc $has"
      fi
      echo "glibc=$state"
      """, facts: [Fact("glibc", equals: "new enough")])
  }
}
