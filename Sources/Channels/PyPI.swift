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

  /// The release's own, wherever it comes from: an upgrade is done where the older release is.
  private var folder: String {
    let name = (names.first ?? "").lowercased().split { "-_.".contains($0) }.joined(separator: "-")
    return "/opt/muster-pypi-\(name)"
  }

  /// The names of the packages; `name-version-….whl` and `name-version.tar.gz` tell theirs.
  private var names: [String] {
    guard case .file(let path) = step.source, step.packages.isEmpty else { return step.packages }
    let parts = (path.split(separator: "/").last ?? "").split(separator: "-")
    return [parts.prefix { $0.first?.isNumber != true }.joined(separator: "-")]
  }

  private var words: String { Shell.words(names) }
  private var pip: String { "\(folder)/bin/pip --no-input --disable-pip-version-check --no-cache-dir" }

  func script(for part: ChannelPart) -> GuestScript {
    switch part {
    case .install, .downgrade: install("")
    case .upgrade: noting + install(" --upgrade")
    case .reinstall: install(" --force-reinstall")
    case .remove, .purge: remove
    case .removed: removed
    case .check(.version): version
    case .check: dependencies
    default: GuestScript("")
    }
  }

  private var noting: GuestScript {
    if step.version != nil { return GuestScript("") }
    let versions = "import sys, importlib.metadata as m; [print(n, m.version(n), sep='=') for n in sys.argv[1:]]"
    return GuestScript("\(folder)/bin/python -c \"\(versions)\" \(words) >\(folder)/older || :\n")
  }

  /// Settings of the machine must not lead to another index.
  private var circumstances: String {
    """
    export LC_ALL=C.UTF-8 PIP_CONFIG_FILE=/dev/null
    unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL || :
    """
  }

  /// The release comes from the repository alone, and what it depends on from there or from PyPI, as it will for those who
  /// install it once it is published. A folder of files, with no page for each package, is no index.
  private func install(_ how: String) -> GuestScript {
    if let file = step.file(place) {
      return GuestScript(
        """
        \(environment)
        \(pip) install\(how) \(Shell.quote(file)) </dev/null
        \(linking)
        """)
    }
    let index = step.repository.map { place.address($0) }
    let word = index?.word ?? "https://pypi.org/simple"
    let what = step.packages.map { name in
      Shell.quote(name) + (step.version.map { "'=='" + Shell.quote($0) } ?? "")
    }.joined(separator: " ")
    let question = if case .url = step.repository?.place { question } else { "" }
    var sources = "release=\"--index-url $index\"\nothers=\"--extra-index-url $index\""
    if case .folder = step.repository?.place {
      sources += """

        for file in \(place.repository)/*.whl \(place.repository)/*.tar.gz; do
          if test -e "$file"; then
            release='--no-index --find-links \(place.repository)'
            others='--find-links \(place.repository)'
          fi
        done
        """
    }
    return GuestScript(
      """
      \(environment)
      index=\(word)
      \(sources)
      status=0
      \(pip) install --no-deps\(how) $release \(what) </dev/null >\(folder)/said 2>&1 || status=$?
      cat \(folder)/said
      # What a source distribution is built with is not the release's to have: it is taken from PyPI.
      source=$(sed -n 's/^ *\\(Processing\\|Downloading\\) \\([^ ]*\\.\\(tar\\.gz\\|zip\\)\\).*/\\2/p' \(folder)/said | tail -n 1)
      if test "$status" -ne 0 && test -n "$source" && grep -q 'build dependencies' \(folder)/said; then
        status=0
        \(pip) install --no-deps\(how) "$source" </dev/null || status=$?
      fi
      if test "$status" -ne 0; then\(question)
        exit "$status"
      fi
      \(pip) install $others \(what) </dev/null
      \(linking)
      """, secrets: (index?.secrets ?? []) + (step.version?.secrets ?? []))
  }

  private var environment: String {
    """
    \(circumstances)
    python3 -m venv \(folder)
    """
  }

  private var linking: String {
    """
    for command in \(folder)/bin/*; do
      case ${command##*/} in
        python | python[23]* | pip | pip[23]* | activate* | Activate*) ;;
        *) ln -sf "$command" /usr/local/bin/ ;;
      esac
    done
    """
  }

  /// pip says of an index that is not there, or that gives half a page, that it has no such package: where it failed, the
  /// index is asked by itself. One that has other pages, but none of this package, is in order.
  private var question: String {
    """

      python3 - "$index" \(words) >&2 <<'END'
    import base64, re, sys, urllib.error, urllib.parse, urllib.request
    def trouble(page):
        place = urllib.parse.urlsplit(page)
        user, _, host = place.netloc.rpartition("@")
        request = urllib.request.Request(place._replace(netloc=host).geturl(), headers={"Accept": "text/html"})
        if user:
            user = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
            request.add_header("Authorization", "Basic " + user)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                if page != index:
                    answer.read()
        except Exception as problem:
            return f"{request.full_url}: {problem!r}"
    index = sys.argv[1].rstrip("/") + "/"
    for name in sys.argv[2:]:
        problem = trouble(index + re.sub("[-_.]+", "-", name).lower() + "/")
        if problem and "<HTTPError 404:" in problem:
            problem = trouble(index)
        if problem:
            print("The index cannot be read:", problem)
    END
    """
  }

  /// pip says that all is well where there was nothing to remove.
  private var remove: GuestScript {
    GuestScript(
      """
      \(circumstances)
      \(folder)/bin/python -c 'import sys, importlib.metadata as m; [print(f.locate()) for n in sys.argv[1:] for f in m.files(n)]' \
        \(words) >\(folder)/owned
      \(pip) uninstall -y \(words) </dev/null
      for command in /usr/local/bin/*; do
        case $(readlink "$command") in
          \(folder)/bin/*) test -e "$command" || rm "$command" ;;
        esac
      done
      """)
  }

  private var removed: GuestScript {
    GuestScript(
      """
      state=removed
      while read -r file; do
        case $file in
          *.pyc) continue ;;
        esac
        if test -e "$file"; then state="$file is still there"; fi
      done <\(folder)/owned
      for name in \(words); do
        if \(folder)/bin/python -c 'import sys, importlib.metadata as m; m.version(sys.argv[1])' "$name" 2>/dev/null; then
          state="$name is still installed"
        fi
      done
      echo "package=$state"
      """, facts: [Fact("package", equals: "removed")])
  }

  private var version: GuestScript {
    ChannelChecks.version(
      of: step, definitions: "", loop: "for name in \(words)",
      ask: "\(folder)/bin/python -c 'import sys, importlib.metadata as m; print(m.version(sys.argv[1]))' \"$name\"",
      absence: "is not installed", older: "\(folder)/older")
  }

  private var dependencies: GuestScript {
    GuestScript(
      """
      \(circumstances)
      if \(pip) check >&2; then echo 'dependencies=all there'; else echo 'dependencies=not as it asks for'; fi
      """, facts: [Fact("dependencies", equals: "all there")])
  }
}
