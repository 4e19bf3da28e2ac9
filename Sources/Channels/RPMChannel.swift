import MusterMatrix

/// A release as RPM packages: by dnf (4 and 5), yum, microdnf, and by zypper.
extension ChannelStep {
  private static let dnfCommand = """
    export LC_ALL=C.UTF-8
    for tool in dnf dnf5 yum microdnf; do
      if command -v "$tool" >/dev/null; then break; fi
    done
    """

  /// The packages as dnf and zypper take them: with the version, if there is one.
  private func versioned(_ separator: String) -> String {
    packages.map { name in
      Shell.quote(name) + (version.map { Shell.quote(separator) + Shell.quote($0) } ?? "")
    }.joined(separator: " ")
  }

  private func settings(_ place: ChannelPlace) -> (script: String, secrets: [String]) {
    guard let repository else { return ("", []) }
    let address = place.address(repository)
    let isSigned = repository.key != nil
    // By default a repository that cannot be reached is left out, and then the release seems not to exist.
    var lines = [
      "[\(place.name)]", "name=\(place.name)", "enabled=1", "gpgcheck=\(isSigned ? 1 : 0)",
      "repo_gpgcheck=\(isSigned ? 1 : 0)", "skip_if_unavailable=0", "metadata_expire=1",
    ]
    if isSigned { lines.append("gpgkey=file://\(place.key)") }
    let script = lines.map { "  echo \(Shell.quote($0))" }.joined(separator: "\n")
    return ("{\n\(script)\n  echo 'baseurl='\(address.word)\n}", address.secrets)
  }

  func dnf(_ part: ChannelPart, _ place: ChannelPlace) -> GuestScript {
    switch part {
    case .add:
      let (script, secrets) = settings(place)
      return GuestScript("mkdir -p /etc/yum.repos.d\n\(script) >/etc/yum.repos.d/\(place.name).repo", secrets: secrets)
    case .refresh:
      return GuestScript(
        """
        \(Self.dnfCommand)
        "$tool" -y --disablerepo='*' --enablerepo=\(place.name) makecache </dev/null
        """)
    case .install: return byDnf("install", place)
    case .upgrade: return byDnf("upgrade", place)
    case .downgrade: return byDnf("downgrade", place)
    case .reinstall: return byDnf("reinstall", place)
    // rpm knows no purge.
    case .remove, .purge:
      return GuestScript(
        """
        \(Self.dnfCommand)
        \(noting(.rpm, place))
        if rpm -q "$@" >/dev/null; then "$tool" -y remove "$@" </dev/null; fi
        """)
    default: return GuestScript("")
    }
  }

  private func byDnf(_ command: String, _ place: ChannelPlace) -> GuestScript {
    let what = file(place).map { Shell.quote($0) } ?? versioned("-")
    // A file is not signed by a repository's key.
    let option = file(place) == nil ? "" : " --setopt=localpkg_gpgcheck=0"
    return GuestScript(
      """
      \(Self.dnfCommand)
      "$tool" -y\(option) \(command) \(what) </dev/null
      """, secrets: version?.secrets ?? [])
  }

  /// A key that a `.repo` file names is not trusted without a question: it must be in rpm's keyring.
  func zypper(_ part: ChannelPart, _ place: ChannelPlace) -> GuestScript {
    switch part {
    case .add:
      guard let repository else { return GuestScript("") }
      let address = place.address(repository)
      let trust = repository.key == nil ? "" : "rpm --import \(place.key)\n"
      let strictness = repository.key == nil ? "--no-gpgcheck" : "--gpgcheck-strict"
      return GuestScript(
        """
        export LC_ALL=C.UTF-8 ZYPP_LOCK_TIMEOUT=300
        \(trust)zypper -n addrepo -f \(strictness) \(address.word) \(place.name) </dev/null
        """, secrets: address.secrets)
    case .refresh:
      return GuestScript(
        """
        export LC_ALL=C.UTF-8 ZYPP_LOCK_TIMEOUT=300
        zypper -n refresh \(place.name) </dev/null
        """)
    case .install: return byZypper("install -l", place)
    case .upgrade: return byZypper("install -l", place)
    case .downgrade: return byZypper("install -l --oldpackage", place)
    case .reinstall: return byZypper("install -l -f", place)
    case .remove, .purge:
      return GuestScript(
        """
        export LC_ALL=C.UTF-8 ZYPP_LOCK_TIMEOUT=300
        \(noting(.rpm, place))
        if rpm -q "$@" >/dev/null; then zypper -n remove --clean-deps "$@" </dev/null; fi
        """)
    default: return GuestScript("")
    }
  }

  private func byZypper(_ command: String, _ place: ChannelPlace) -> GuestScript {
    let what = file(place).map { "--allow-unsigned-rpm \(Shell.quote($0))" } ?? versioned("=")
    // 102 and 103 are successes that ask for a reboot or a restart.
    return GuestScript(
      """
      export LC_ALL=C.UTF-8 ZYPP_LOCK_TIMEOUT=300
      status=0
      zypper -n \(command) \(what) </dev/null || status=$?
      case $status in
        0 | 102 | 103) ;;
        *) exit "$status" ;;
      esac
      """, secrets: version?.secrets ?? [])
  }
}
