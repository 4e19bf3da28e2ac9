import MusterHost
package import MusterManagers

extension OrbStackManager {
  private static let update = "brew upgrade --cask orbstack"
  #if canImport(Darwin)
    private static let installation = "run 'brew install --cask orbstack'"
  #else
    private static let installation = "it is for macOS alone: take a Mac"
  #endif

  package static let words = ManagerWords(
    name: "orbstack", title: "OrbStack", tool: "orbctl", installation: installation, update: update,
    restartHint: "restart OrbStack from its menu",
    signs: [
      .init("$HOME is not defined", .host, hint: "set HOME to your home folder"),
      .init("unknown flag", .host, hint: "run '\(update)'"),
      .init("OrbStack is not running", .host, hint: "run 'orbctl start'"),
      .init("fetch index", .mirror, canPass: true),
      .init("make rootfs: ", .mirror, canPass: true),
      .init("machine didn't start in", .backend, canPass: true, isStart: true),
      .init("missing IP address", .backend, canPass: true, isStart: true),
      .init("no space left", .host, hint: "make room on the disk where OrbStack keeps its data"),
      .init("unknown distro", .matrix, hint: distrosHint),
      .init("invalid distro", .matrix, hint: distrosHint),
      .init("from creating to deleting", .backend, hint: "wait until it is made, or restart OrbStack from its menu"),
    ],
    lines: { output, _ in
      // `[-32098] machine not found: …`
      output.errorText.firstLines(20).map { line in
        guard line.hasPrefix("[-"), let end = line.firstIndex(of: "]") else { return line }
        return String(line[line.index(after: end)...].drop { $0 == " " })
      }
    })

  private static let distrosHint = "'orbctl create --help' lists the distros that there are"
}
