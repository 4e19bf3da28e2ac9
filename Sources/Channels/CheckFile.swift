import MusterMatrix

extension FileCheck {
  var script: GuestScript {
    if kind == .absent { return GuestScript(existence, facts: [Fact("file", equals: "does not exist")]) }
    var script = existence
    var facts = [Fact("file", equals: "exists")]
    if let kind {
      script += kindLines
      facts.append(Fact("type", equals: MaskedText(kind.rawValue)))
    }
    if let mode {
      script += statLines(of: "mode", format: "%a", print: #"printf 'mode=%04d\n' "$mode""#)
      facts.append(Fact("mode", equals: MaskedText(octal(mode))))
    }
    if let owner {
      let parts = owner.split(separator: ":", maxSplits: 1).map(String.init)
      for (name, format, part) in zip2(["owner", "group"], ["%U", "%G"], parts) {
        script += statLines(of: name, format: format, print: "echo \"\(name)=$\(name)\"")
        facts.append(Fact(name, equals: MaskedText(part)))
      }
    }
    if let sha256 {
      script += """

        if ! command -v sha256sum >/dev/null; then
          echo 'sha256sum is not installed' >&2
          exit 69
        fi
        if ! sum=$(sha256sum <\(word)); then exit 69; fi
        echo "sha256=${sum%% *}"
        """
      facts.append(Fact("sha256", equals: MaskedText(sha256)))
    }
    if let contains {
      script += contentLines(contains)
      facts.append(Fact("content", equals: "as expected"))
    }
    return GuestScript(script, secrets: contains?.secrets ?? [], facts: facts)
  }

  private var word: String { Shell.quote(path) }

  /// What is there is told, and the script goes on only when something is.
  private var existence: String {
    """
    if test -L \(word) && ! test -e \(word); then
      echo 'file=\(kind == .link ? "exists" : "is a dangling link")'\(kind == .link ? "" : "\n  exit")
    elif test -e \(word); then
      echo 'file=exists'
    else
      echo 'file=does not exist'
      exit
    fi
    """
  }

  /// A link counts as what it leads to, unless a link is asked for.
  private var kindLines: String {
    let link = kind == .link ? "if test -L \(word); then\n  echo 'type=link'\nel" : ""
    return """

      \(link)if test -f \(word); then
        echo 'type=file'
      elif test -d \(word); then
        echo 'type=directory'
      else
        echo 'type=other'
      fi
      """
  }

  private func statLines(of name: String, format: String, print: String) -> String {
    """

    if ! \(name)=$(stat \(kind == .link ? "" : "-L ")-c \(format) \(word)); then exit 69; fi
    \(print)
    """
  }

  /// A text with several lines, or a secret that may have several, cannot be looked for by lines.
  private func contentLines(_ text: MaskedText) -> String {
    let isOneLine = text.secrets.isEmpty && !text.description.contains { $0.isNewline }
    if isOneLine {
      return """

        status=0
        grep -F -q -e \(Shell.quote(text)) <\(word) || status=$?
        case $status in
          0) echo 'content=as expected' ;;
          1) echo 'content=the text does not occur' ;;
          *) exit 69 ;;
        esac
        """
    }
    return """

      if ! content=$(cat \(word)); then exit 69; fi
      case "$content" in
        *\(Shell.quote(text))*) echo 'content=as expected' ;;
        *) echo 'content=the text does not occur' ;;
      esac
      """
  }
}

/// The first elements of three sequences together, as long as the shortest.
private func zip2(_ one: [String], _ two: [String], _ three: [String]) -> [(String, String, String)] {
  zip(zip(one, two), three).map { ($0.0, $0.1, $1) }
}
