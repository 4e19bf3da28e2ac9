import MusterCatalog
import MusterMatrix

/// What is looked at once a release is installed: by the package manager's own database, never by an exit status alone.
/// Each prints a line `name=value` for each fact, as a `check` does, and evidence on standard error.
extension ChannelStep {
  func script(for check: Check, _ place: ChannelPlace, _ family: Family) -> GuestScript {
    let isDebian = channel == .apt
    let names =
      packages.isEmpty
      ? """
      file=\(Shell.quote(file(place) ?? ""))
      name=$(\(isDebian ? "dpkg-deb -f \"$file\" Package" : "rpm -qp --qf '%{NAME}' \"$file\""))

      """ : ""
    return switch check {
    case .version: versions(names, isDebian)
    case .files: files(names, isDebian)
    case .libraries: libraries(names, isDebian)
    default: GuestScript("")
    }
  }

  /// `ii` is the state of a package that is installed in full: one whose script has failed shows another.
  private func versions(_ names: String, _ isDebian: Bool) -> GuestScript {
    let ask =
      isDebian
      ? #"entry=$(dpkg-query -W -f '${db:Status-Abbrev}=${Version}\n' "$name" | head -n 1) || entry="#
      : #"entry=$(rpm -q --qf 'ii =%{EVR}\n' "$name" | tail -n 1) || entry="#
    return GuestScript(
      """
      export LC_ALL=C
      \(names)state=installed
      version=
      for name in \(words); do
        \(ask)
        case $entry in
          ii' ='*) ;;
          *) state="$name is not installed in full" ;;
        esac
        echo "$name $entry" >&2
        if test -z "$version"; then version=${entry#*=}; fi
      done
      echo "package=$state"
      echo "version=$version"
      """,
      facts: [Fact("package", equals: "installed")] + (version.map { [Fact("version", version: $0)] } ?? []))
  }

  /// `dpkg --verify` ends with 0 whatever it finds, so its words count. A conffile (`c`) is the administrator's to change.
  private func files(_ names: String, _ isDebian: Bool) -> GuestScript {
    let verify = isDebian ? "dpkg --verify \"$name\"" : "rpm -V \"$name\""
    return GuestScript(
      """
      export LC_ALL=C
      \(names)state='as they were packed'
      for name in \(words); do
        found=$(\(verify) 2>&1 | grep -v '^[^ ]* *c ' || :)
        if test -n "$found"; then
          state='not as they were packed'
          echo "$found" >&2
        fi
      done
      echo "files=$state"
      """, facts: [Fact("files", equals: "as they were packed")])
  }

  private func libraries(_ names: String, _ isDebian: Bool) -> GuestScript {
    let list = isDebian ? "dpkg -L \"$name\"" : "rpm -ql \"$name\""
    return GuestScript(
      """
      export LC_ALL=C
      \(names)state='all there'
      for name in \(words); do
        \(list) | while read -r file; do
          if test -f "$file" && test "$(head -c 4 "$file" | tail -c 3)" = ELF; then
            ldd "$file" 2>/dev/null | grep 'not found' | while read -r line; do echo "$file: $line"; done || :
          fi
        done >/run/muster-libraries
        if test -s /run/muster-libraries; then
          state="missing: $(sed -n '1s/.*: \\([^ ]*\\) .*/\\1/p' /run/muster-libraries)"
          cat /run/muster-libraries >&2
        fi
        rm -f /run/muster-libraries
      done
      echo "libraries=$state"
      """, facts: [Fact("libraries", equals: "all there")])
  }
}
