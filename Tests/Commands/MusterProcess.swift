import Foundation
import MusterHost
import MusterTestSupport
import Testing

/// The `muster` that was built beside the tests, run as a person runs it.
struct MusterProcess {
  var environment: [String: String?] = [:]
  /// The folder it is started in.
  var directory: String?

  static var executable: String {
    // The test bundle lies in the folder of build products, or in a bundle's folder there.
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    for _ in 0..<4 {
      let candidate = folder.appendingPathComponent("muster").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
      folder.deleteLastPathComponent()
    }
    return ".build/debug/muster"
  }

  func callAsFunction(_ arguments: String...) async throws -> ProcessOutput {
    try await run(arguments)
  }

  func run(_ arguments: [String]) async throws -> ProcessOutput {
    try await command(arguments).run(limit: 8 << 20)
  }

  /// Starts it, for tests that watch it or end it.
  /// - Parameter starter: What starts it in turn, such as `nohup`.
  func start(_ arguments: [String], through starter: [String] = [], log: String) async throws -> RunningProcess {
    var command = command(arguments)
    if let first = starter.first {
      (command.executable, command.arguments) = (first, starter.dropFirst() + [command.executable] + arguments)
    }
    return try await RunningProcess.start(command, log: log)
  }

  private func command(_ arguments: [String]) -> HostCommand {
    // What CI sets for itself must not change what is told here.
    let neutral: [String: String?] = [
      "GITHUB_ACTIONS": nil, "GITHUB_STEP_SUMMARY": nil, "NO_COLOR": nil, "CLICOLOR_FORCE": nil, "VM_LOCK_TIMEOUT": nil,
    ]
    return HostCommand(
      Self.executable, arguments, environment: neutral.merging(environment) { _, new in new }, directory: directory)
  }
}

/// A folder of its own for one test, removed at its end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = try FileSystem.createTemporaryFolder("muster-commands")
  }

  deinit {
    try? FileSystem.removeTree(path)
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try FileSystem.write(text, to: "\(path)/\(name)")
    return "\(path)/\(name)"
  }
}

/// Decoded JSON, looked into by keys and indices.
struct JSON {
  var value: Any?

  init(_ bytes: [UInt8]) throws {
    value = try JSONSerialization.jsonObject(with: Data(bytes))
  }

  init(file: String) throws {
    try self.init(FileSystem.read(file, limit: 64 << 20))
  }

  private init(value: Any?) {
    self.value = value
  }

  subscript(key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
  subscript(index: Int) -> JSON {
    let array = value as? [Any] ?? []
    return JSON(value: array.indices.contains(index) ? array[index] : nil)
  }
  var string: String? { value as? String }
  var bool: Bool? { value as? Bool }
  var int: Int? { value as? Int }
  var double: Double? { value as? Double }
  var array: [JSON] { (value as? [Any] ?? []).map { JSON(value: $0) } }
}
