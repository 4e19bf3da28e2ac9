import MusterDiagnostics
import MusterHost
import Testing

@testable import MusterExecution

@Suite struct SecretTests {
  /// Replacing on the whole text, place by place, the longest first.
  private func naive(_ text: [UInt8], _ patterns: [[UInt8]]) -> [UInt8] {
    var (result, index): ([UInt8], Int) = ([], 0)
    while index < text.count {
      let found = patterns.filter { text[index...].starts(with: $0) }.max { $0.count < $1.count }
      if let found {
        result += Array("***".utf8)
        index += found.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  @Test(arguments: 0..<300)
  func maskingIsTheSameWhereverAStreamIsCut(seed: UInt64) {
    var random = Seeded(seed: seed)
    func word(_ range: ClosedRange<Int>) -> [UInt8] {
      (0..<Int.random(in: range, using: &random)).map { _ in "abc".utf8.randomElement(using: &random) ?? 0 }
    }
    let patterns = (0..<Int.random(in: 1...4, using: &random)).map { _ in word(1...6) }
    let text = word(0...200)
    let mask = SecretMask(hiding: patterns.map { String(decoding: $0, as: UTF8.self) })
    var stream = SecretMask.Stream(mask)
    var (result, rest): ([UInt8], ArraySlice<UInt8>) = ([], text[...])
    while !rest.isEmpty {
      let chunk = rest.prefix(Int.random(in: 1...7, using: &random))
      result += stream.next(Array(chunk))
      rest = rest.dropFirst(chunk.count)
    }
    result += stream.end()
    #expect(result == naive(text, patterns))
    #expect(mask(text) == naive(text, patterns))
  }

  @Test func linesOfASecret() {
    let mask = SecretMask(hiding: ["-----BEGIN\nabcdefgh\nxy\n-----END\n"])
    #expect(mask("key: abcdefgh, xy") == "key: ***, xy")
    #expect(mask("-----BEGIN\nabcdefgh\nxy\n-----END\nrest") == "***rest")
    #expect(SecretMask(hiding: ["token\n"])("the token!") == "the ***!")
    #expect(SecretMask(hiding: ["x"])("xyx") == "***y***")
    #expect(SecretMask(hiding: [])("x") == "x")
  }

  @Test func allMissingOnesAreTold() {
    let error = #expect(throws: Failure.self) {
      try Secrets(["A", "B", "C"]) { ["B": "b", "C": ""][$0] }
    }
    #expect(error?.message == "the secrets A, C have no value")
  }

  @Test func nothingShowsASecret() async throws {
    let secret = "s3cret-and-more"
    let fixture = try Fixture(LocalBackend.Faults(console: "login: \(secret)\n"))
    let events = try await fixture.run(
      """
      secrets: [TOKEN]
      tests:
        t:
          provision:
            - run: test "${TOKEN}" = s3"cret-and-more"
          verify:
            - run: printf 's3cret'; sleep 0.1; printf -- '-and-more\\n'; printf s3cr
              env: {COPY: "<${TOKEN}>"}
              stdout: {contains: "s3cret-and-more"}
            - run: echo "$COPY ${TOKEN}"; echo "${TOKEN}" >&2
              env: {COPY: "<${TOKEN}>"}
              stdout: {equals: "<${TOKEN}> ${TOKEN}!"}
      """, secrets: try Secrets(["TOKEN"]) { _ in secret })
    #expect(events.steps.map(\.outcome) == [.passed, .passed, .failed])
    let mismatch = try #require(events.steps[2].mismatch)
    #expect(mismatch.expected == "equals \"<${TOKEN}> ${TOKEN}!\"")
    #expect(mismatch.actual == "<***> ***")
    #expect(events.steps[2].tail.contains("<***> ***"))
    #expect(!"\(events)".contains(secret))
    let log = try fixture.text(try #require(events.steps[1].log))
    #expect(log.contains("***\ns3cr\n# passed"))
    var files = 0
    for name in try FileSystem.names(in: "\(fixture.output)/cells/t-d/attempt-1") where name.hasSuffix(".log") {
      #expect(!(try fixture.text("cells/t-d/attempt-1/\(name)").contains(secret)), "in \(name)")
      files += 1
    }
    #expect(files >= 4)
    #expect(try fixture.text("cells/t-d/attempt-1/console.log") == "login: ***\n")
  }
}

/// Numbers that are the same in every run of a test.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed &+ 0x9E37_79B9_7F4A_7C15
  }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
