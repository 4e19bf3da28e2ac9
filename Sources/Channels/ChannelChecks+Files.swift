import MusterMatrix

/// Checks of the files that a release brings for others: the desktop, systemd, other users.
extension ChannelChecks {
  /// A function `own`: the paths of all of the release's packages, a line each.
  private var own: String {
    """
    \(head)
    \(database.files)
    own() { for name; do files "$name"; done; }
    """
  }

  /// Tells the first of the problems, which are in a file, a line each.
  private func answer(_ fact: String) -> String {
    """
    if test -s "$problems"; then
      cat "$problems" >&2
      echo "\(fact)=$(head -n 1 "$problems")"
    else
      echo '\(fact)=in order'
    fi
    """
  }

  /// The tools of freedesktop.org are used where the machine has them. What they only warn of is no failure.
  var desktop: GuestScript {
    GuestScript(
      """
      \(own)
      problems=/run/\(place.name).desktop
      own "$@" | grep -e '^/usr/share/applications/.*\\.desktop$' | while read -r file; do
        if ! test -f "$file"; then echo "$file is not there"; continue; fi
        if command -v desktop-file-validate >/dev/null; then
          desktop-file-validate "$file" | sed -n 's/^\\(.*\\): error: /\\1: /p'
        fi
        for key in Type Name; do
          if ! grep -q "^$key=" "$file"; then echo "$file has no $key"; fi
        done
        # What TryExec names may be absent: then the entry is not shown.
        sed -n 's/^Exec=//p' "$file" | while read -r line; do
          set -- $line
          while test "$1" = env || test "${1#*=}" != "$1"; do shift; done
          case $1 in
            '' | '"'*) ;;
            *) command -v "$1" >/dev/null || echo "$file starts '$1', which is not there" ;;
          esac
        done
        icon=$(sed -n 's/^Icon=//p' "$file" | head -n 1)
        case $icon in
          /*) test -e "$icon" || echo "$file shows the icon $icon, which is not there" ;;
        esac
      done >"$problems"
      own "$@" | grep -e '^/usr/share/\\(metainfo\\|appdata\\)/.*\\.xml$' | while read -r file; do
        if ! grep -q '<id[ >]' "$file"; then echo "$file has no <id>"; fi
        if command -v appstreamcli >/dev/null; then
          appstreamcli validate --no-net "$file" | sed -n "s|^E: |$file: |p"
        fi
        sed -n 's/.*<launchable type="desktop-id">\\([^<]*\\)<.*/\\1/p' "$file" | while read -r id; do
          test -e "/usr/share/applications/$id" || echo "$file launches $id, which is not there"
        done
      done >>"$problems"
      \(answer("desktop"))
      """, facts: [Fact("desktop", equals: "in order")])
  }

  /// Templates (`name@.service`) have no state of their own.
  var units: GuestScript {
    GuestScript(
      """
      \(own)
      problems=/run/\(place.name).units
      : >"$problems"
      if test -d /run/systemd/system; then
        own "$@" | sed -n 's|^\\(/usr\\)*/lib/systemd/system/\\([^/@]*\\.[a-z]*\\)$|\\2|p' | while read -r unit; do
          case ${unit##*.} in
            service | socket | timer | path | mount | target) ;;
            *) continue ;;
          esac
          loaded=$(systemctl show -p LoadState --value "$unit")
          case $loaded in
            loaded | masked) ;;
            *) echo "$unit cannot be loaded: $loaded" ;;
          esac
          if systemctl -q is-failed "$unit"; then
            echo "$unit has failed"
            systemctl --no-pager --full status "$unit" >&2 || :
          elif test "$(systemctl show -p SubState --value "$unit")" = auto-restart; then
            echo "$unit ends again and again"
            systemctl --no-pager --full status "$unit" >&2 || :
          fi
          systemd-analyze verify "$unit" 2>&1 | grep -F "$unit" | grep 'is not executable' || :
        done >"$problems"
      fi
      \(answer("units"))
      """, facts: [Fact("units", equals: "in order")])
  }

  /// What anybody may write to, and what gives whoever starts it the rights of another.
  var permissions: GuestScript {
    GuestScript(
      """
      \(own)
      problems=/run/\(place.name).permissions
      own "$@" | while read -r file; do
        if test -e "$file" && ! test -L "$file"; then printf '%s\\0' "$file"; fi
      done | xargs -0 -r stat -c '%a %F:%n' | while read -r mode kind; do
        file=${kind#*:}
        case $mode:$kind in
          [4567]???:regular*) echo "$file runs with the rights of its owner (mode $mode)" ;;
          1???:directory*) ;;
          *[2367]:regular* | *[2367]:directory*) echo "$file can be written by anybody (mode $mode)" ;;
        esac
      done >"$problems"
      \(answer("permissions"))
      """, facts: [Fact("permissions", equals: "in order")])
  }
}
