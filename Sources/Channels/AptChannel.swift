import MusterMatrix

/// A release by apt.
extension ChannelStep {
  /// What every call of apt-get gets: no questions, conffiles as they are, errors of the index as errors (by default it
  /// goes on with names that do not resolve).
  static let aptGet = apt(keepingSettings: true)

  /// - Parameter keepingSettings: Whether a changed conffile is kept without a question. Without, dpkg asks, finds nobody,
  ///   and fails: a conffile that nobody changed is no reason to ask.
  private static func apt(keepingSettings: Bool) -> String {
    let answers =
      keepingSettings ? " \\\n    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold" : ""
    return """
      export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1\(keepingSettings ? " UCF_FORCE_CONFFOLD=1" : "")
      apt() {
        apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any\(answers) "$@" </dev/null
      }
      """
  }

  func apt(_ part: ChannelPart, _ place: ChannelPlace) -> GuestScript {
    switch part {
    case .add: addForApt(place)
    case .refresh:
      GuestScript(
        """
        \(Self.aptGet)
        apt -o Dir::Etc::SourceList=/etc/apt/sources.list.d/\(place.name).sources -o Dir::Etc::SourceParts=- \\
          -o APT::Get::List-Cleanup=0 update
        """)
    case .prepare: prepareByApt(place)
    case .install: byApt("install --allow-downgrades", place)
    case .upgrade(let settings):
      byApt(file(place) == nil ? "install --only-upgrade" : "install", place, keepingSettings: settings == .changed)
    case .downgrade: byApt("install --allow-downgrades", place)
    case .reinstall: byApt("install --reinstall --allow-downgrades", place)
    case .remove:
      GuestScript(
        """
        \(Self.aptGet)
        \(noting(.dpkg, place))
        apt remove "$@"
        """)
    // Of a package that was removed, and had no configuration files, dpkg knows nothing any more.
    case .purge:
      GuestScript(
        """
        \(Self.aptGet)
        \(noting(.dpkg, place))
        for name; do
          shift
          case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
            '' | ?n*) ;;
            *) set -- "$@" "$name" ;;
          esac
        done
        if test $# -gt 0; then apt purge "$@"; fi
        """)
    default: GuestScript("")
    }
  }

  /// A key in ASCII and one in binary form are told apart by the file's name alone, so by what is in it here.
  private func addForApt(_ place: ChannelPlace) -> GuestScript {
    guard let repository else { return GuestScript("") }
    let address = place.address(repository)
    var lines = ["Types: deb"]
    let suite = repository.suite ?? "./"
    lines.append("Suites: \(suite)")
    if repository.suite != nil {
      let components = repository.components.isEmpty ? ["main"] : repository.components
      lines.append("Components: \(components.joined(separator: " "))")
    }
    let settings = lines.map { "echo \(Shell.quote($0))" }.joined(separator: "\n  ")
    let trust =
      repository.key == nil
      ? ""
      : """
      mkdir -p /etc/apt/keyrings
      if grep -q -e '-----BEGIN PGP' \(place.key); then form=asc; else form=gpg; fi
      install -m 644 \(place.key) "/etc/apt/keyrings/\(place.name).$form"

      """
    return GuestScript(
      """
      \(trust){
        \(settings)
        echo "URIs: "\(address.word)
        echo \(repository.key == nil ? "'Trusted: yes'" : "\"Signed-By: /etc/apt/keyrings/\(place.name).$form\"")
      } >/etc/apt/sources.list.d/\(place.name).sources
      """, secrets: address.secrets)
  }

  /// The distro's own index is fetched once after each boot, for what the release depends on.
  private static let index = """
    if ! test -e /run/muster-index; then
      apt update
      : >/run/muster-index
    fi
    """

  /// Sets the positional parameters to what apt-get is to install: a file, or names with the version that is wanted. A
  /// version is given as people say it, without epoch and revision, and looked up.
  private func wanted(_ place: ChannelPlace) -> GuestScript {
    if let file = file(place) {
      // apt would tell of what it depends on first, of that architecture.
      return GuestScript(
        """
        set -- \(Shell.quote(file))
        architecture=$(dpkg-deb -f "$1" Architecture)
        case $architecture in
          all | "$(dpkg --print-architecture)") ;;
          *)
            echo "package architecture ($architecture) does not match system ($(dpkg --print-architecture))" >&2
            exit 1
            ;;
        esac
        """)
    }
    guard let version else { return GuestScript("set -- \(words)") }
    return GuestScript(
      """
      wanted=\(Shell.quote(version))
      find_version() {
        apt-cache madison "$1" | while IFS=' |' read -r _ found _; do
          case $found in
            "$wanted" | "$wanted"-* | *:"$wanted" | *:"$wanted"-*)
              echo "$found"
              break
              ;;
          esac
        done
      }
      set --
      for name in \(words) ; do
        found=$(find_version "$name")
        if test -z "$found"; then
          echo "no repository has version $wanted of $name; there are:" >&2
          apt-cache madison "$name" >&2
          exit 66
        fi
        set -- "$@" "$name=$found"
      done
      """, secrets: version.secrets)
  }

  private func byApt(_ command: String, _ place: ChannelPlace, keepingSettings: Bool = true) -> GuestScript {
    let wanted = wanted(place)
    return GuestScript(
      """
      \(Self.apt(keepingSettings: keepingSettings))
      \(Self.index)
      \(wanted.script)
      apt \(command) "$@"
      """, secrets: wanted.secrets)
  }

  /// What cannot be resolved shows when the release itself is installed, and what would bring the release comes with it.
  private func prepareByApt(_ place: ChannelPlace) -> GuestScript {
    let wanted = wanted(place)
    return GuestScript(
      """
      \(Self.aptGet)
      \(Self.index)
      \(wanted.script)
      all=$(apt -s install --allow-downgrades "$@" | sed -n 's/^Inst \\([^ ]*\\) .*/\\1/p') || all=
      \(names(.dpkg, place))
      # What needs the release in turn, such as a plugin that it recommends, comes with it.
      if test -n "$all"; then
        all=$(apt-cache depends --important $all | awk -v "own=$*" '
          BEGIN { split(own, names, " "); for (i in names) out[names[i]] = 1 }
          /^[^ ]/ { package = $1; if (!(package in out)) order[++count] = package }
          # One of several that will do each has a bar, but for the last.
          /Depends: / { any = any " " $2 }
          /^ *(Pre)?Depends: / { needs[package, ++number[package]] = any; any = "" }
          END {
            do {
              more = 0
              for (i = 1; i <= count; i++) {
                name = order[i]
                for (j = 1; j <= number[name] && !(name in out); j++) {
                  others = 0
                  size = split(needs[name, j], list, " ")
                  for (k = 1; k <= size; k++) if (!(list[k] in out)) others++
                  if (!others) { out[name] = 1; more = 1 }
                }
              }
            } while (more)
            for (i = 1; i <= count; i++) if (!(order[i] in out)) print order[i]
          }')
      fi
      # All that they recommend is among them, or is the release itself.
      if test -n "$all"; then apt install --no-install-recommends $all; fi
      """, secrets: wanted.secrets)
  }
}
