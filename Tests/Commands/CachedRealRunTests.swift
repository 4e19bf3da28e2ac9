import Foundation
import MusterHost
import MusterTestSupport
import Testing

/// What the first steps did is kept for the cells that begin with the same, on real machines.
@Suite(.serialized) struct CachedRealRunTests {
  private let scratch: Scratch
  private let disk: String

  init() async throws {
    scratch = try Scratch()
    disk = try await TestCache.tinyDisk()
  }

  /// What stands before the tests: a distro whose own steps are these, each on a line.
  private func head(_ provision: String...) -> String {
    """
    muster: 1
    resources: {cpus: 1, memory: 256M, disk: 256M}
    distros:
      tiny:
        image: {path: '\(disk)'}
        family: debian
        provision:
          - \(provision.joined(separator: "\n      - "))
    tests:

    """
  }

  /// Two tests that begin with the same, and tell which time that was done and what they see of each other.
  private func matrix(_ first: String = "cat /proc/sys/kernel/random/uuid >/root/stamp", cache: String = "true")
    -> String
  {
    head("{copy: {from: brought, to: /root/brought}, cache: \(cache)}", "{run: '\(first)', cache: \(cache)}")
      + """
        one: &test
          distros: all
          provision: [{run: echo mine >>/root/mine}]
          verify:
            - run: cat /root/brought /root/stamp /root/mine; head -c 8 /dev/urandom | hexdump -v -e '1/1 "%02x"'; echo; date +%s
        two: *test
      """
  }

  private struct Told: Equatable {
    var brought: String
    var stamp: String
    var mine: [String]
    var random: String
  }

  private struct Result {
    var output: ProcessOutput
    /// How the steps of each cell's provision were done: their titles, `kept` or not.
    var steps: [[Bool]]
    var told: [Told]
  }

  private func run(_ matrix: String, brought: String = "first", options: [String] = []) async throws -> Result {
    let file = try scratch.write("matrix.yaml", matrix)
    try scratch.write("brought", brought + "\n")
    let output = "\(scratch.path)/out"
    try FileSystem.removeTree(output)
    let process = try await MusterProcess().run(
      [
        "run", file, "--output", output, "--cache", scratch.path, "--state", scratch.path, "--lock-file",
        "\(scratch.path)/lock", "--lock-timeout", "0",
      ] + options)
    let summary = try JSON(file: "\(output)/summary.json")
    #expect(summary["machines"]["left"].int == 0)
    var result = Result(output: process, steps: [], told: [])
    for cell in summary["cells"].array {
      let phases = cell["attempts"][0]["phases"].array
      let provision = phases.first { $0["phase"].string == "provision" }
      result.steps.append(provision?["steps"].array.map { $0["kept"].bool ?? false } ?? [])
      guard let log = phases.first(where: { $0["phase"].string == "verify" })?["steps"][0]["log"].string else {
        continue
      }
      let lines = try FileSystem.readText("\(output)/\(log)").split(separator: "\n").map(String.init)
        .filter { !$0.hasPrefix("#") && !$0.hasPrefix("$") }
      try #require(lines.count > 4, "\(lines)")
      let time = try #require(Int64(lines[lines.count - 1]))
      #expect(abs(Timestamp.now.milliseconds / 1000 - time) < 60)
      result.told.append(
        Told(
          brought: lines[0], stamp: lines[1], mine: Array(lines[2..<lines.count - 2]), random: lines[lines.count - 2]))
    }
    return result
  }

  @Test func whatIsTheSameIsDoneOnce() async throws {
    let first = try await run(matrix())
    try #require(first.output.ending == .exited(0), "\(first.output.errorText)")
    #expect(first.steps == [[false, false, false], [true, true, false]])
    #expect(first.told.count == 2)
    #expect(first.told[0].stamp == first.told[1].stamp)
    #expect(first.told.map(\.mine) == [["mine"], ["mine"]])
    #expect(first.told[0].random != first.told[1].random)

    // Another run has it too.
    let second = try await run(matrix())
    #expect(second.steps == [[true, true, false], [true, true, false]])
    #expect(second.told.map(\.stamp) == first.told.map(\.stamp))

    // Another file, another script, and none at all.
    let third = try await run(matrix(), brought: "second")
    #expect(third.steps == [[false, false, false], [true, true, false]])
    #expect(third.told.map(\.brought) == ["second", "second"])
    #expect(third.told[0].stamp != first.told[0].stamp)
    let fourth = try await run(matrix("echo other >/root/stamp"))
    #expect(fourth.steps == [[false, false, false], [true, true, false]])
    #expect(fourth.told.map(\.stamp) == ["other", "other"])
    for option in ["--no-cache", "--cold"] {
      let without = try await run(matrix(), options: [option])
      #expect(without.steps == [[false, false, false], [false, false, false]], "\(option)")
      #expect(without.told.map(\.mine) == first.told.map(\.mine))
    }

    // What is kept ages.
    let short = try await run(matrix("cat /proc/sys/kernel/random/uuid >/root/stamp; echo short", cache: "1ms"))
    #expect(short.steps == [[false, false, false], [false, false, false]])
  }

  /// A test goes on from what its distro's steps have done, or from the longest that any test has; what it makes of that is never
  /// seen by another, and a damaged layer is made anew of those before it.
  @Test func testsGoOnFromTheLongest() async throws {
    func matrix(_ tests: [String]) -> String {
      let steps = ["a": "cat /proc/sys/kernel/random/uuid >/root/stamp"].merging(
        ["b", "c", "d"].map { ($0, "echo \($0) >>/root/mine") }
      ) { $1 }
      func step(_ name: Character) -> String { "{run: '\(steps["\(name)"] ?? "")', cache: true}" }
      return head("{copy: {from: brought, to: /root/brought}, cache: true}", step("a"))
        + tests.map { name in
          """
            \(name):
              provision: [\(name.dropFirst().map(step).joined(separator: ", "))]
              verify:
                - run: cat /root/brought /root/stamp; cat /root/mine 2>/dev/null || echo none; head -c 8 /dev/urandom | hexdump -v -e '1/1 "%02x"'; echo; date +%s

          """
        }.joined()
    }
    let first = try await run(matrix(["tb", "tc", "t", "tbd"]))
    try #require(first.output.ending == .exited(0), "\(first.output.errorText)")
    #expect(
      first.steps == [[false, false, false], [true, true, false], [true, true], [true, true, true, false]])
    #expect(Set(first.told.map(\.stamp)).count == 1)
    #expect(first.told.map(\.mine) == [["b"], ["c"], ["none"], ["b", "d"]])

    let second = try await run(matrix(["tbd", "tb", "tc", "t"]))
    #expect(second.steps == [[true, true, true, true], [true, true, true], [true, true, true], [true, true]])
    #expect(second.told.map(\.mine) == [["b", "d"], ["b"], ["c"], ["none"]])
    #expect(Set((first.told + second.told).map(\.stamp)).count == 1)
    #expect(Set((first.told + second.told).map(\.random)).count == 8)

    // Of a layer that is damaged nothing goes on, nor of those that are made of it.
    let templates = "\(scratch.path)/templates"
    let middle = try #require(
      try FileSystem.names(in: templates).first { name in
        guard let seal = try? FileSystem.readText("\(templates)/\(name)/seal") else { return false }
        // The image, the machine, and the distro's layer.
        return seal.split(separator: "\n").count { $0.hasPrefix("file ") && $0.contains(" /") } == 2
      })
    try FileSystem.write("nonsense", to: "\(templates)/\(middle)/disk.qcow2")
    let third = try await run(matrix(["tbd", "t"]))
    #expect(third.output.ending == .exited(0), "\(third.output.errorText)")
    #expect(third.steps == [[false, false, false, false], [true, true]])
    #expect(third.told.map(\.mine) == [["b", "d"], ["none"]])
    #expect(third.told[0].stamp != first.told[0].stamp)
  }

  /// A step that fails is never kept, and its verdict is that of any step.
  @Test func whatFailsIsNotKept() async throws {
    for _ in 0..<2 {
      let result = try await run(matrix("echo hello; exit 7"))
      #expect(result.output.ending == .exited(1))
      #expect(result.steps == [[false, false], [false, false]])
      #expect(result.output.text.contains("expected exit status 0, got 7"))
    }
    let names = try FileSystem.names(in: "\(scratch.path)/templates").filter { !$0.hasSuffix(".lock") }
    #expect(names.count == 1, "\(names)")
  }
}
