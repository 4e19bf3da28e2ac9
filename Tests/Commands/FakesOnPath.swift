import Foundation
import MusterHost
import MusterTestManagers

/// Fakes of managers alone on the PATH, for what is told of them without a machine.
struct FakesOnPath {
  let scratch: Scratch

  /// - Parameter faults: What each is told to do wrong.
  init(_ faults: [FakeKind: String]) throws {
    scratch = try Scratch()
    try FileSystem.createFolder(folder)
    for (kind, text) in faults {
      try FileSystem.createFolder("\(folder)/\(kind.tool).state")
      try FileSystem.write(text, to: "\(folder)/\(kind.tool).state/faults.json")
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/\(kind.tool)", withDestinationPath: FakeManager.path(kind))
    }
  }

  var folder: String { "\(scratch.path)/bin" }

  func muster(_ arguments: String...) async throws -> ProcessOutput {
    let lock = ["doctor", "run"].contains(arguments.first) ? ["--lock-file", "\(scratch.path)/lock"] : []
    return try await MusterProcess(environment: ["PATH": folder]).run(
      arguments + ["--state", scratch.path, "--cache", "\(scratch.path)/cache"] + lock)
  }
}
