import Foundation
import MusterHost
import MusterTestSupport
import Testing

/// Greeter as its example publishes it, on real machines: what is good passes from end to end, and what is not is found.
@Suite(.serialized) struct ChannelRealRunTests {
  /// Cells that boot take minutes more: `MUSTER_TEST_COLD=1` runs them so too.
  private static let starts: [[String]] = HostFacts.environment("MUSTER_TEST_COLD") == nil ? [[]] : [[], ["--cold"]]

  @Test(arguments: starts) func greeterAndItsSins(start: [String]) async throws {
    let scratch = try Scratch()
    let examples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../examples").standardized
    try FileManager.default.copyItem(atPath: examples.path, toPath: "\(scratch.path)/examples")
    let greeter = "\(scratch.path)/examples/greeter"

    let sins = try await run(
      "\(greeter)/sins/matrix.yaml", scratch,
      [
        "--setup", "installed[sin=missing-library]@debian", "installed[sin=failing-postinst]@debian",
        "removed[sin=left-data]@debian", "repository[sin=wrong-key]@debian",
      ] + start)
    #expect(sins.map(\.outcome) == Array(repeating: "expected-failure", count: 4), "\(sins)")

    let good = try await run(
      "\(greeter)/matrix.yaml", scratch,
      ["--axis", "lifecycle=install", "apt", "appimage[run=extracted]@debian-12"] + start)
    #expect(good.map(\.outcome) == ["passed", "passed"], "\(good)")
  }

  private struct Cell {
    var name: String
    var outcome: String
    var reason: String
  }

  private func run(_ matrix: String, _ scratch: Scratch, _ options: [String]) async throws -> [Cell] {
    let output = "\(scratch.path)/out-\(UInt32.random(in: .min ... .max))"
    let process = try await MusterProcess().run(
      ["run", matrix, "--output", output, "--cache", TestCache.folder, "--state", scratch.path, "--lock-file"]
        + ["\(scratch.path)/lock"] + options)
    #expect(process.ending == .exited(0), "\(process.text)\n\(process.errorText)")
    let summary = try JSON(file: "\(output)/summary.json")
    #expect(summary["machines"]["left"].int == 0)
    return summary["cells"].array.map { cell in
      Cell(
        name: cell["cell"].string ?? "", outcome: cell["outcome"].string ?? "",
        reason: cell["reason"]["message"].string ?? "")
    }
  }
}
