import MusterHost

/// What a call of the client that went wrong means: whose fault it is, and what to do about it.
enum MultipassTrouble {
  #if canImport(Darwin)
    private static let daemon = "system/com.canonical.multipassd"
    static let restartHint = "restart its daemon: 'sudo launchctl kickstart -k \(daemon)'"
    static let startHint = "start its daemon: 'sudo launchctl kickstart \(daemon)'"
    static let (installation, update) = ("brew install --cask multipass", "brew upgrade --cask multipass")
  #else
    static let restartHint = "restart its daemon: 'sudo snap restart multipass'"
    static let startHint = "start its daemon: 'sudo snap start multipass'"
    static let (installation, update) = ("sudo snap install multipass", "sudo snap refresh multipass")
  #endif

  /// A call that gave no ending.
  static func failure(of arguments: [String], _ error: HostCommandError, deadline: Duration) -> Failure {
    switch error {
    case .notFound:
      Failure(
        .host, "multipass is not installed",
        hint: "run '\(installation)', or choose another backend")
    case .timedOut:
      Failure(
        .backend, "multipass \(arguments[0]) did not answer within \(deadline.human)", hint: restartHint, canPass: true)
    case .failed: Failure(.host, "\(error)")
    }
  }

  /// A call that ended with another status than 0.
  static func failure(of arguments: [String], _ output: ProcessOutput) -> Failure {
    let lines = lines(output, of: arguments[0])
    let text = lines.joined(separator: "\n")
    let sign = signs.first { sign in
      text.contains(sign.text) || (sign.status.map { output.ending == .exited($0) } ?? false)
    }
    let told = lines.first.map(lowercasedFirst) ?? "it ended with \(output.ending) and said nothing"
    return Failure(
      sign?.blame ?? .backend, "multipass \(arguments[0]) failed: \(told)", evidence: Array(lines.dropFirst()),
      hint: sign?.hint, canPass: sign?.canPass ?? false)
  }

  /// What the client said, less what it puts in front of everything.
  private static func lines(_ output: ProcessOutput, of command: String) -> [String] {
    var lines = output.errorText.firstLines(20)
    if let first = lines.first, first.hasPrefix("\(command) failed: ") {
      lines[0] = String(first.dropFirst("\(command) failed: ".count))
    }
    let introductions = ["The following errors occurred:", "Invalid arguments supplied"]
    if lines.count > 1, introductions.contains(lines[0]) { lines.removeFirst() }
    return lines
  }

  private static func lowercasedFirst(_ text: String) -> String {
    guard text.dropFirst().first?.isLowercase == true else { return text }
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  /// A part of what the client says, or the status that it ends with, and what that means.
  private struct Sign {
    var text: String
    var status: Int32?
    var blame: Blame
    var hint: String?
    var canPass = false
  }

  /// The first that fits counts.
  private static let signs = [
    Sign(
      text: "socket access denied", blame: .host,
      hint: "use a user of the group that owns its socket, or run 'multipass authenticate'"),
    Sign(
      text: "cannot connect to the multipass socket", status: 3, blame: .host,
      hint: startHint),
    Sign(
      text: "KVM support is not enabled", blame: .host,
      hint: "switch virtualization on in the firmware, and look whether /dev/kvm is there"),
    Sign(text: "failed to download from", blame: .mirror, canPass: true),
    // With the network down the lists of images cannot be had, and then it says this of each.
    Sign(
      text: "is unknown or unreachable", blame: .mirror, hint: "'multipass find' lists the images that there are",
      canPass: true),
    Sign(text: "Unable to find an image", blame: .matrix, hint: "'multipass find' lists the images that there are"),
    Sign(text: "Custom image", blame: .matrix, hint: "'multipass find' lists the images that there are"),
    Sign(text: "Available disk", blame: .host, hint: "make room where Multipass keeps its instances"),
    Sign(
      text: "below minimum for this image", blame: .matrix, hint: "'resources: {disk: …}' asks for a larger one"),
    Sign(text: "imed out waiting", status: 5, blame: .backend, canPass: true),
  ]
}
