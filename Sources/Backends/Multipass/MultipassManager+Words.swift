import MusterHost
package import MusterManagers

extension MultipassManager {
  #if canImport(Darwin)
    private static let daemon = "system/com.canonical.multipassd"
    private static let restartHint = "restart its daemon: 'sudo launchctl kickstart -k \(daemon)'"
    package static let startHint = "start its daemon: 'sudo launchctl kickstart \(daemon)'"
    private static let (installation, update) = ("run 'brew install --cask multipass'", "brew upgrade --cask multipass")
  #else
    private static let restartHint = "restart its daemon: 'sudo snap restart multipass'"
    package static let startHint = "start its daemon: 'sudo snap start multipass'"
    private static let update = "sudo snap refresh multipass"
    private static var installation: String { LinuxPackage.snap("multipass") }
  #endif
  private static let listHint = "'multipass find' lists the images that there are"

  package static let words = ManagerWords(
    name: "multipass", title: "Multipass", tool: "multipass", installation: installation, update: update,
    restartHint: restartHint,
    signs: [
      .init(
        "socket access denied", .host,
        hint: "use a user of the group that owns its socket, or run 'multipass authenticate'"),
      .init("not authenticated with the Multipass service", .host, hint: "run 'multipass authenticate'"),
      .init("cannot connect to the multipass socket", status: 3, .host, hint: startHint),
      .init(
        "KVM support is not enabled", .host,
        hint: "switch virtualization on in the firmware, and look whether /dev/kvm is there"),
      .init("failed to download from", .mirror, canPass: true),
      // With the network down the lists of images cannot be had, and then it says this of each.
      .init("is unknown or unreachable", .mirror, hint: listHint, canPass: true),
      .init("Unable to find an image", .matrix, hint: listHint),
      .init("Custom image", .matrix, hint: listHint),
      .init("Available disk", .host, hint: "make room where Multipass keeps its instances"),
      .init("Invalid memory size value", .matrix, hint: "'resources: {memory: …}' says how much"),
      .init("Invalid disk size value", .matrix, hint: "'resources: {disk: …}' says how large"),
      .init("below minimum for this image", .matrix, hint: "'resources: {disk: …}' asks for a larger one"),
      .init("imed out waiting", status: 5, .backend, canPass: true),
    ],
    lines: lines)

  private static func lines(_ output: ProcessOutput, of command: String) -> [String] {
    var lines = output.errorText.firstLines(20)
    if let first = lines.first, first.hasPrefix("\(command) failed: ") {
      lines[0] = String(first.dropFirst("\(command) failed: ".count))
    }
    let introductions = ["The following errors occurred:", "Invalid arguments supplied"]
    if lines.count > 1, introductions.contains(lines[0]) { lines.removeFirst() }
    return lines
  }
}
