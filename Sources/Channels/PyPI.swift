import MusterCatalog
import MusterMatrix

/// A release by pip, in a virtual environment of its own: most distros forbid it to touch the system's Python (PEP 668). The
/// commands that come with it are linked to where everybody finds them.
struct PyPI {
  var step: ChannelStep
  var place: ChannelPlace

  /// What a distro has pip and virtual environments in.
  static func packages(of family: Family) -> [String] {
    switch family {
    case .debian: ["python3", "python3-venv"]
    case .fedora, .suse: ["python3", "python3-pip"]
    case .arch: ["python", "python-pip"]
    case .alpine: ["python3", "py3-pip"]
    }
  }

  private var folder: String { "/opt/\(place.name)" }
  private var pip: String { "\(folder)/bin/pip --no-input --disable-pip-version-check --no-cache-dir" }

  func script(for part: ChannelPart) -> GuestScript {
    switch part {
    case .add, .refresh, .download, .fuse: GuestScript("")
    case .install: install
    case .check(.version): version
    case .check: dependencies
    }
  }

  /// Settings of the machine must not lead to another index.
  private var circumstances: String {
    """
    export LC_ALL=C.UTF-8 PIP_CONFIG_FILE=/dev/null
    unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL || :
    """
  }

  private var install: GuestScript {
    let index = step.repository.map { place.address($0) }
    let what =
      step.file(place).map(Shell.quote)
      ?? step.packages.map { name in
        Shell.quote(name) + (step.version.map { "'=='" + Shell.quote($0) } ?? "")
      }.joined(separator: " ")
    let option = index.map { " --index-url \(Shell.quote($0))" } ?? ""
    return GuestScript(
      """
      \(circumstances)
      python3 -m venv \(folder)
      \(pip) install\(option) \(what) </dev/null
      for command in \(folder)/bin/*; do
        case ${command##*/} in
          python* | pip* | activate* | Activate*) ;;
          *) ln -sf "$command" /usr/local/bin/ ;;
        esac
      done
      """, secrets: (index?.secrets ?? []) + (step.version?.secrets ?? []))
  }

  private var version: GuestScript {
    let name =
      step.packages.first.map { Shell.quote($0) }
      // `name-version-….whl`, `name-version.tar.gz`
      ?? "\"$(basename \(Shell.quote(step.file(place) ?? "")) | sed 's/-[0-9].*//')\""
    return GuestScript(
      """
      name=\(name)
      if version=$(\(folder)/bin/python -c 'import sys, importlib.metadata as m; print(m.version(sys.argv[1]))' "$name"); then
        echo package=installed
      else
        echo 'package=not installed'
      fi
      echo "version=$version"
      """,
      facts: [Fact("package", equals: "installed")] + (step.version.map { [Fact("version", version: $0)] } ?? []))
  }

  private var dependencies: GuestScript {
    GuestScript(
      """
      \(circumstances)
      if \(pip) check >&2; then echo 'dependencies=all there'; else echo 'dependencies=not as it asks for'; fi
      """, facts: [Fact("dependencies", equals: "all there")])
  }
}
