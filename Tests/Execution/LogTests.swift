import MusterDiagnostics
import MusterHost
import Testing

@testable import MusterExecution

@Suite struct LogTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = try FileSystem.createTemporaryFolder("muster-log-test")
    defer { try? FileSystem.removeTree(folder) }
    try body(folder)
  }

  /// The first and the last bytes stay, whatever the pieces they came in.
  @Test(arguments: 0..<100)
  func theMiddleIsCut(seed: UInt64) throws {
    var random = Seeded(seed: seed)
    let limit = Int.random(in: 2...50, using: &random)
    let bytes = (0..<Int.random(in: 0...200, using: &random)).map { UInt8(truncatingIfNeeded: $0 % 26 + 97) }
    try withFolder { folder in
      var file = try CutFile("\(folder)/log", limit: limit)
      var rest = bytes[...]
      while !rest.isEmpty {
        let chunk = rest.prefix(Int.random(in: 1...60, using: &random))
        try file.write(Array(chunk))
        rest = rest.dropFirst(chunk.count)
      }
      let cut = file.cut
      try file.finish()
      let kept = try FileSystem.read("\(folder)/log")
      #expect(cut == max(0, bytes.count - limit))
      if cut == 0 {
        #expect(kept == bytes)
      } else {
        #expect(kept.starts(with: bytes.prefix(limit / 2)))
        #expect(kept.reversed().starts(with: bytes.suffix(limit - limit / 2).reversed()))
        let note = String(decoding: kept.dropFirst(limit / 2).dropLast(limit - limit / 2), as: UTF8.self)
        #expect(note == "\n# \(cut) B (\(cut) bytes) are cut out here; 'logs: {limit: …}' in the matrix keeps more\n")
      }
      #expect(try FileSystem.names(in: folder) == ["log"])
    }
  }

  /// 100 MB of output: the log stays at its limit, and the expectations still see all of it.
  @Test func aStepMayPrintAnyAmount() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      logs: {limit: 1M}
      tests:
        t:
          verify:
            - run: |
                echo first
                head -c 50000000 /dev/zero | tr '\\0' 'a'
                echo; echo middle
                head -c 50000000 /dev/zero | tr '\\0' 'b'
                echo; echo last
              stdout: {contains: middle, not-contains: nowhere}
      """)
    #expect(events.steps.map(\.outcome) == [.passed])
    let log = try #require(events.steps[0].log)
    let text = try fixture.text(log)
    #expect(text.utf8.count < 1_100_000)
    #expect(text.contains("\nfirst\n"))
    #expect(text.contains("are cut out here"))
    #expect(text.contains("\nlast\n# passed"))
  }

  @Test func lastLines() {
    var last = LastBytes(limit: 20)
    last.append(Array("one\n".utf8))
    #expect(last.lines(5) == ["one"])
    last.append(Array("two\nthree\nfour\nfive\n".utf8))
    #expect(last.lines(2) == ["four", "five"])
    last.append(Array(repeating: 0xFF, count: 100))
    #expect(last.text.unicodeScalars.allSatisfy { $0 == "\u{FFFD}" })
  }
}
