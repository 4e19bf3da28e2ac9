import CustomDump
import Foundation
import MusterHost
import Testing

@testable import MusterReports

/// Expects the text that stands in `Goldens/NAME`; `UPDATE_GOLDENS=1` writes it there instead.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)").path
  if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
    try FileSystem.write(text, to: path)
    return
  }
  let golden = try FileSystem.readText(path)
  #expect(
    text == golden, "\(name): \(diff(golden, text) ?? ""); UPDATE_GOLDENS=1 takes it over",
    sourceLocation: sourceLocation)
}

/// A new folder, which is gone after the test.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = try FileSystem.createTemporaryFolder("muster-reports")
  do {
    let result = try await body(folder)
    try FileSystem.removeTree(folder)
    return result
  } catch {
    try FileSystem.removeTree(folder)
    throw error
  }
}

/// Runs a Python script that gets `input`, and expects it to be content with it.
func expectPython(_ script: String, input: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) async throws {
  let output = try await HostCommand("python3", ["-c", script], input: input).run()
  #expect(output.ending.isSuccess, "\(output.errorText)", sourceLocation: sourceLocation)
}

extension Summary {
  var json: [UInt8] {
    var bytes: [UInt8] = []
    writeJSON { bytes += $0 }
    return bytes
  }
}

extension JUnit {
  static func bytes(of summary: Summary) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try write(summary) { bytes += $0 }
    return bytes
  }
}
