import Foundation
import MusterDiagnostics
import MusterMatrix
import Testing

@testable import MusterChannels

/// The matrices that come with Muster.
@Suite struct OwnMatricesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  /// Those that are of no channel that is there yet are left out.
  static let files = ["matrices", "examples"].flatMap { folder -> [String] in
    let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path)?.compactMap { $0 as? String }
    return (names ?? []).filter {
      $0.hasSuffix(".yaml") && !$0.contains("dist/") && !$0.contains("work/") && !$0.contains(".build/")
    }
    .map { "\(folder)/\($0)" }
  }.filter { !$0.hasSuffix("appimage.yaml") || ChannelStep.Channel(rawValue: "appimage") != nil }.sorted()

  @Test(arguments: files)
  func areInOrder(file: String) throws {
    let matrix = MatrixFile(path: file, workingDirectory: Self.root.path)
    #expect(matrix.diagnostics.map(\.message) == [])
    let plan = try #require(matrix.plan())
    #expect(!plan.cells.isEmpty)
    for cell in plan.cells {
      let plan = cell.resolved().takenApart()
      #expect(!plan.phases.isEmpty)
      for step in plan.phases.flatMap(\.steps) {
        let text = step.explanation(for: plan.family).joined(separator: "\n")
        #expect(!text.isEmpty, "\(step.title)")
      }
    }
  }

  @Test func areThere() {
    for name in ["apt", "rpm", "aur", "pypi", "apk", "homebrew", "comprehensive", "quickstart"] {
      #expect(Self.files.contains("matrices/\(name).yaml"))
    }
    #expect(Self.files.contains("examples/greeter/matrix.yaml"))
  }
}
