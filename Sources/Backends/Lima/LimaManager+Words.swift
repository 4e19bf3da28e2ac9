import MusterHost
package import MusterManagers

extension LimaManager {
  private static let templatesHint = "'limactl create --list-templates' lists the templates that there are"
  private static let update = "brew upgrade lima"
  private static var installation: String {
    HostFacts.tool("brew") == nil
      ? "install it as lima-vm.io/docs/installation says" : "run 'brew install lima'"
  }

  package static let words = ManagerWords(
    name: "lima", title: "Lima", tool: "limactl", installation: installation, update: update,
    restartHint: "run 'limactl list', look at what it says, and end processes of limactl that hang",
    signs: [
      .init("must not run as the root user", .host, hint: "run muster as another user"),
      .init("is protected to prohibit", .backend, hint: "run 'limactl unprotect' for it"),
      .init("failed to download", .mirror, canPass: true),
      .init("did not receive an event with the", .backend, canPass: true, isStart: true),
      .init("did not start up in", .backend, canPass: true, isStart: true),
      .init("executable file not found", .host, hint: "install what it names; on Linux Lima needs QEMU"),
      .init("no space left", .host, hint: "make room where Lima keeps its instances"),
      .init("too long", .host, hint: "set LIMA_HOME to a short path"),
      .init("disk shrinking is not supported", .matrix, hint: "'resources: {disk: …}' asks for a larger one"),
      .init("unknown flag", .host, hint: "run '\(update)'"),
      .init("template `", .matrix, hint: templatesHint),
    ],
    lines: { output, _ in
      let lines = output.errorText.firstLines(200)
      let told = lines.compactMap(LimaLog.message).filter { $0.level == "fatal" || $0.level == "error" }
      // The last is why it ended.
      if let last = told.last { return [last.text] + told.dropLast().suffix(5).map(\.text) }
      return lines.suffix(5).map { $0.hasPrefix("limactl: ") ? String($0.dropFirst("limactl: ".count)) : $0 }
    })
}

/// A line of a log as Lima writes it where nobody sits at a terminal: `time="…" level=info msg="…"`.
enum LimaLog {
  static func message(_ line: String) -> (level: String, text: String)? {
    guard line.hasPrefix("time="), let level = line.firstRange(of: " level="), let start = line.firstRange(of: " msg=")
    else {
      return nil
    }
    let word = String(line[level.upperBound...].prefix { $0 != " " })
    let rest = line[start.upperBound...]
    guard rest.first == "\"" else { return (word, String(rest.prefix { $0 != " " })) }
    var text = ""
    var isEscaped = false
    for character in rest.dropFirst() {
      if isEscaped {
        text.append(character == "n" ? " " : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        break
      } else {
        text.append(character)
      }
    }
    return (word, text)
  }
}
