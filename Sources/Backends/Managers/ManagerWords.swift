package import MusterHost

/// How a manager and its client are called, and what it means when a call of it goes wrong: whose fault that is, and what
/// to do about it.
package struct ManagerWords: Sendable {
  /// The name of the backend.
  package var name: String
  /// The manager's own name.
  package var title: String
  /// The client.
  package var tool: String
  /// How it is installed, as a hint, and the command that brings it up to date.
  package var (installation, update): (String, String)
  /// What to do when it does not answer.
  package var restartHint: String
  /// What its client says; the first that fits counts.
  package var signs: [Sign]
  /// The lines in which the client says what went wrong, less what it puts in front of all of them.
  package var lines: @Sendable (_ output: ProcessOutput, _ command: String) -> [String]

  package init(
    name: String, title: String, tool: String, installation: String, update: String, restartHint: String,
    signs: [Sign], lines: @escaping @Sendable (_ output: ProcessOutput, _ command: String) -> [String]
  ) {
    self.name = name
    self.title = title
    self.tool = tool
    (self.installation, self.update) = (installation, update)
    self.restartHint = restartHint
    self.signs = signs
    self.lines = lines
  }

  /// A part of what the client says, or the status that it ends with, and what that means.
  package struct Sign: Sendable {
    package var text: String
    package var status: Int32?
    package var blame: Blame
    package var hint: String?
    package var canPass: Bool
    /// Whether the machine is made, and only has to be started once more.
    package var isStart: Bool

    package init(
      _ text: String, status: Int32? = nil, _ blame: Blame, hint: String? = nil, canPass: Bool = false,
      isStart: Bool = false
    ) {
      self.text = text
      self.status = status
      self.blame = blame
      self.hint = hint
      self.canPass = canPass
      self.isStart = isStart
    }
  }

  /// What all of them say, being written in Go, when they cannot reach what they download from.
  private static let network: [Sign] = [
    "no such host", "i/o timeout", "TLS handshake timeout", "network is unreachable",
  ]
  .map { Sign($0, .mirror, hint: "try again later", canPass: true) }

  /// A call that gave no ending.
  func failure(of arguments: [String], _ error: HostCommandError, deadline: Duration) -> Failure {
    switch error {
    case .notFound:
      if let file = HostFacts.file(tool) {
        Failure(
          .host, "'\(file)' cannot be executed",
          hint: "look at its mode, and at the interpreter that its first line names, if any")
      } else {
        Failure(.host, "\(title) is not installed", hint: "\(installation), or choose another backend")
      }
    case .timedOut:
      Failure(
        .backend, "\(tool) \(arguments[0]) did not answer within \(deadline.human)", hint: restartHint, canPass: true)
    case .failed: Failure(.host, "\(error)")
    }
  }

  /// A call that ended with another status than 0.
  package func failure(of arguments: [String], _ output: ProcessOutput) -> Failure {
    let lines = lines(output, arguments[0])
    let sign = sign(of: output, lines)
    let head = "\(arguments[0]) failed: "
    var told = lines.first.map(Self.lowercasedFirst) ?? "it ended with \(output.ending) and said nothing"
    // Some say so themselves.
    if told.hasPrefix(head) { told = Self.lowercasedFirst(String(told.dropFirst(head.count))) }
    return Failure(
      sign?.blame ?? .backend, "\(tool) \(head)\(told)", evidence: Array(lines.dropFirst()),
      hint: sign == nil ? restartHint : sign?.hint, canPass: sign?.canPass ?? false)
  }

  /// What ssh says of a machine's own server.
  private static let ofTheMachine = ["ssh: ", "kex_exchange"]

  /// What the client says in the place of what a machine says; `nil` for what is the machine's own doing.
  func failure(saying text: String) -> Failure? {
    if Self.ofTheMachine.contains(where: text.contains) { return nil }
    let sign = (signs + Self.network).first { text.contains($0.text) }
    return Failure(sign?.blame ?? .backend, text, hint: sign?.hint ?? restartHint)
  }

  /// Whether a call that failed has made a machine that only has to be started once more.
  func onlyLacksStart(_ arguments: [String], _ output: ProcessOutput) -> Bool {
    sign(of: output, lines(output, arguments[0]))?.isStart ?? false
  }

  private func sign(of output: ProcessOutput, _ lines: [String]) -> Sign? {
    let text = lines.joined(separator: "\n")
    return (signs + Self.network).first { sign in
      text.contains(sign.text) || (sign.status.map { output.ending == .exited($0) } ?? false)
    }
  }

  private static func lowercasedFirst(_ text: String) -> String {
    guard text.dropFirst().first?.isLowercase == true else { return text }
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
