import Foundation
import MusterCatalog
import MusterDiagnostics
import MusterHost
import MusterMatrix
import Testing

@testable import MusterChannels

/// Executes the scripts of a channel's parts on this host, with stand-ins for all that would change it: what they write to
/// is in a folder of the test's own, and the programs that they call write down how (`Tests/Fakes/recorded`).
struct RecordedGuest: ~Copyable {
  let folder: String
  var shell = ["/bin/sh"]

  /// Programs that only look, or only change what they are told to, are the host's own. It may have package managers as well,
  /// so its own folders are not on PATH.
  private static let own = [
    "awk", "basename", "cat", "chmod", "cp", "cut", "dirname", "env", "find", "getent", "grep", "head", "id", "mkdir",
    "mktemp",
    "readlink", "rm", "sed", "sh", "sort", "stat", "tail", "tar", "tee", "tr", "wc", "xargs",
  ]
  /// What is in the machine is in the test's folder, by these folders of the machine.
  private static let places = ["/var/lib/muster", "/run/", "/etc/", "/home/linuxbrew", "/lib/apk"]

  /// - Parameter answers: The name of each program that stands in, and what it does: shell script.
  init(_ answers: [String: String]) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "muster-recorded-\(UUID().uuidString)").path
    let files = FileManager.default
    for name in [
      "bin", "answers", "machine/run", "machine/etc/apk", "machine/home/linuxbrew", "machine/var/lib/muster",
    ] {
      try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    let fake = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fakes/recorded").standardized
      .path
    for (name, script) in answers {
      try files.createSymbolicLink(atPath: "\(folder)/bin/\(name)", withDestinationPath: fake)
      try script.write(toFile: "\(folder)/answers/\(name)", atomically: false, encoding: .utf8)
    }
    for name in Self.own where answers[name] == nil {
      guard let path = ["/usr/bin", "/bin"].map({ "\($0)/\(name)" }).first(where: files.isExecutableFile) else {
        continue
      }
      try files.createSymbolicLink(atPath: "\(folder)/bin/\(name)", withDestinationPath: path)
    }
    _ = files.createFile(atPath: "\(folder)/calls", contents: nil)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  struct Result {
    var status: Int
    var output: String
    /// The first fact that does not hold, as `name=actual`.
    var mismatch: String?
  }

  /// Where something of the machine is on this host.
  func path(_ path: String) -> String { "\(folder)/machine\(path)" }

  func write(_ text: String, to path: String) throws {
    let file = URL(filePath: self.path(path))
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func run(_ script: GuestScript) async throws -> Result {
    var text = script.script
    for place in Self.places { text = text.replacing(place, with: "\(folder)/machine\(place)") }
    let environment = [
      "PATH": "\(folder)/bin", "FAKE_CALLS": "\(folder)/calls", "FAKE_ANSWERS": "\(folder)/answers",
      "MACHINE": "\(folder)/machine",
    ]
    let command = HostCommand(
      shell[0], shell.dropFirst() + ["-e", "-c", text], environment: environment.mapValues { .some($0) })
    let output = try await command.run()
    guard case .exited(let status) = output.ending else { throw CancellationError() }
    let answers = CheckAnswers(output.text)
    let mismatch = script.facts.first { fact in !fact.holds(answers[fact] ?? "", reveal: \.description) }
    return Result(
      status: Int(status), output: output.text + output.errorText,
      mismatch: mismatch.map { "\($0.name)=\(answers[$0] ?? "")" })
  }

  func run(_ part: ChannelPart, of channel: ChannelStep, _ family: Family) async throws -> Result {
    try await run(channel.script(for: part, number: 1, family: family))
  }

  /// Executes a step's parts, in their order, until one does not succeed.
  /// - Returns: What came of the last.
  func run(_ channel: ChannelStep, _ family: Family) async throws -> (part: String, result: Result) {
    let step = Step(
      action: .channel(channel, nil, number: 0), title: "x", location: Location(file: "m.yaml", line: 1, column: 1))
    var last = ("", Result(status: 0, output: ""))
    for part in step.parts(of: channel, 1, family) {
      guard case .channel(_, let kind?, _) = part.action else { continue }
      last = (part.title, try await run(kind, of: channel, family))
      if last.1.status != 0 || last.1.mismatch != nil { break }
    }
    return last
  }

  /// The calls of some programs, in their order; what is the machine's is named as there.
  func calls(of names: String...) throws -> [String] {
    try String(contentsOfFile: "\(folder)/calls", encoding: .utf8).replacing("\(folder)/machine", with: "")
      .split(separator: "\n").map(String.init)
      .filter { call in names.contains { call == $0 || call.hasPrefix("\($0) ") } }
  }
}
