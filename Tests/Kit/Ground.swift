import Foundation
import MusterHost
import MusterTestSupport
import Testing

@testable import MusterKit

/// Where tests make machines: a state folder of their own, the image of a guest that is up in three seconds, and the
/// `muster` that was built beside the tests.
final class Ground: Sendable {
  let state: String
  let image: MachineImage
  let imagePath: String

  init() async throws {
    imagePath = try await TestCache.tinyDisk()
    image = .file(imagePath)
    state = try FileSystem.createTemporaryFolder("muster-kit")
  }

  deinit {
    try? FileSystem.removeTree(state)
  }

  var options: MachineOptions {
    var options = MachineOptions()
    (options.cpus, options.memory, options.disk) = (1, 256 << 20, 256 << 20)
    (options.muster, options.cache, options.state) = (Self.product("muster"), TestCache.folder, state)
    options.progress = { _ in }
    return options
  }

  /// What is still alive, or on a ledger, or in the folder of logs.
  func left(of machine: String) throws -> [String] {
    try processes(with: machine).map { "process \($0)" } + (try FileSystem.names(in: "\(state)/ledgers"))
  }

  /// A program that was built beside the tests.
  static func product(_ name: String) -> String {
    // The test bundle lies in the folder of build products, or in a bundle's folder there.
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    for _ in 0..<4 {
      let candidate = folder.appendingPathComponent(name).path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
      folder.deleteLastPathComponent()
    }
    return ".build/debug/\(name)"
  }
}
