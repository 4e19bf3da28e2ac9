import Foundation
import MusterHost
import MusterTestSupport
import Testing

/// Whole runs on real machines, one at a time: they share an image, and the host's processors.
@Suite(.serialized) struct RealRunTests {
  /// Machines that resume, and machines that boot.
  private static let starts: [[String]] = [[], ["--cold"]]

  /// What fails, for whose fault, and how each report says so.
  @Test(arguments: starts) func tellsWhoseFaultItWas(start: [String]) async throws {
    let scratch = try Scratch()
    let token = "swordfish-\(UInt32.random(in: .min ... .max))"
    let file = try scratch.write("verdicts.yaml", Self.verdicts)
    let stepSummary = try scratch.write("step-summary.md", "")
    let muster = MusterProcess(environment: [
      "MUSTER_TEST_TOKEN": token, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": stepSummary,
    ])
    let output = try await muster.run(
      arguments(file, scratch) + ["--junit", "\(scratch.path)/junit.xml"] + start)
    try #require(output.ending == .exited(1), "\(output.text)\n\(output.errorText)")

    let summary = try JSON(file: "\(scratch.path)/out/summary.json")
    let cells = Dictionary(uniqueKeysWithValues: summary["cells"].array.map { ($0["test"].string ?? "", $0) })
    #expect(cells["fails"]?["outcome"].string == "failed")
    #expect(cells["fails"]?["blame"].string == nil)
    #expect(cells["dies"]?["outcome"].string == "error")
    #expect(cells["dies"]?["blame"].string == "guest")
    #expect(cells["dies"]?["reason"]["evidence"].array.contains { $0.string?.contains("Kernel panic") == true } == true)
    #expect(cells["floods"]?["outcome"].string == "passed")
    #expect(summary["machines"]["launched"].int == 3)
    #expect(summary["machines"]["left"].int == 0)

    // The failed expectation is told with its step, what was expected, what came, and its line of the matrix.
    let line = Self.line(of: "stdout: {equals: greeter 1.2.0}")
    let junit = try FileSystem.readText("\(scratch.path)/junit.xml")
    let json = try FileSystem.readText("\(scratch.path)/out/summary.json")
    for (report, text) in [("console", output.text), ("JUnit", junit), ("JSON", json)] {
      #expect(text.contains("greet"), "\(report)")
      #expect(text.contains("greeter 1.2.0"), "\(report)")
      #expect(text.contains("greeter 1.1.0"), "\(report)")
    }
    #expect(output.text.contains("verdicts.yaml:\(line):"))
    #expect(junit.contains("verdicts.yaml:\(line):"))
    let annotation = try #require(output.text.split(separator: "\n").first { $0.hasPrefix("::error ") })
    #expect(annotation.contains("line=\(line),"))
    #expect(annotation.contains("greeter 1.2.0") && annotation.contains("greeter 1.1.0"))
    #expect(try FileSystem.readText(stepSummary).contains("fails"))

    // A log is cut in its middle; a secret is nowhere; nothing is left.
    let logs = try Self.files(below: "\(scratch.path)/out")
    let flood = try #require(logs.first { $0.key.contains("floods") && $0.value.count > 100_000 })
    #expect(flood.value.count < 1_200_000)
    #expect(flood.value.contains("the last line"))
    for (path, bytes) in logs { #expect(!bytes.contains(token), "\(path)") }
    #expect(!output.text.contains(token) && !output.errorText.contains(token))
    #expect(output.text.contains("machines: 3 launched, 3 purged, 0 left"))
    #expect(try Self.emulators(of: summary).isEmpty)
  }

  /// A mirror that cannot be reached is nobody's fault but the mirror's.
  @Test(arguments: starts) func neverBlamesTheReleaseForAMirror(start: [String]) async throws {
    let scratch = try Scratch()
    let file = try scratch.write("mirror.yaml", Self.mirror)
    let output = try await MusterProcess().run(
      arguments(file, scratch) + ["--junit", "\(scratch.path)/junit.xml"] + start)
    try #require(output.ending == .exited(3), "\(output.text)\n\(output.errorText)")
    let summary = try JSON(file: "\(scratch.path)/out/summary.json")
    for cell in summary["cells"].array {
      #expect(cell["outcome"].string == "error")
      #expect(cell["blame"].string == "mirror")
      let evidence = cell["reason"]["evidence"].array.compactMap(\.string).joined()
      #expect(evidence.contains("mirror.invalid"))
    }
    #expect(summary["totals"]["failed"].int ?? 0 == 0)
    #expect(!(try FileSystem.readText("\(scratch.path)/junit.xml").contains("<failure")))
    #expect(summary["machines"]["left"].int == 0)
  }

  /// A signal in the middle of a step: purged, reported, and dead by that signal.
  @Test(arguments: [SIGINT, SIGTERM])
  func endsInOrderByASignal(signal: Int32) async throws {
    let scratch = try Scratch()
    let file = try scratch.write("waits.yaml", Self.waits)
    let events = "\(scratch.path)/events.jsonl"
    let run = try await MusterProcess().start(
      arguments(file, scratch) + ["--events", events], log: "\(scratch.path)/console.log")
    // The step has begun once its script has told so: that is in its log.
    try await Self.wait(while: run) {
      try Self.files(below: "\(scratch.path)/out").values.contains { $0.contains("I am here") }
    }

    let second = try await MusterProcess().run(
      ["run", file, "--lock-file", "\(scratch.path)/lock", "--lock-timeout", "0"])
    #expect(second.ending == .exited(75))
    #expect(second.errorText.contains("process \(run.processID)"))

    kill(run.processID, signal)
    #expect(await run.ending() == .signaled(signal))
    let summary = try JSON(file: "\(scratch.path)/out/summary.json")
    #expect(summary["cells"].array.map { $0["outcome"].string } == ["cancelled"])
    #expect(summary["machines"]["purged"].int == 1)
    #expect(summary["machines"]["left"].int == 0)
    #expect(try Self.emulators(of: summary).isEmpty)
    #expect(try FileSystem.readText(events).contains("run-finished"))
  }

  // MARK: Parts

  private func arguments(_ file: String, _ scratch: Scratch) -> [String] {
    [
      "run", file, "--output", "\(scratch.path)/out", "--cache", TestCache.folder, "--state", scratch.path,
      "--lock-file",
      "\(scratch.path)/lock", "--lock-timeout", "0",
    ]
  }

  /// The command lines of emulators that belong to the run's machines, as /proc has them.
  private static func emulators(of summary: JSON) throws -> [String] {
    let machines = summary["cells"].array.flatMap { $0["attempts"].array }.compactMap { $0["machine"].string }
    try #require(!machines.isEmpty)
    let lines = try FileSystem.names(in: "/proc").compactMap { name in
      Int32(name).flatMap { try? FileSystem.readText("/proc/\($0)/cmdline") }
    }
    return lines.filter { line in machines.contains { line.contains($0) } }
  }

  private static func files(below folder: String) throws -> [String: String] {
    var files: [String: String] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
      let path = "\(folder)/\(name)"
      if FileSystem.isFile(path) {
        files[name] = try String(decoding: FileSystem.read(path, limit: 64 << 20), as: UTF8.self)
      }
    }
    return files
  }

  /// Looks until something holds; gives up when the run ends without it.
  private static func wait(while run: RunningProcess, until holds: () throws -> Bool) async throws {
    while try !holds() {
      try #require(run.ended == nil, "the run has ended: \(String(describing: run.ended))")
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  private static func line(of text: String) -> Int {
    (verdicts.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains(text) } ?? -1) + 1
  }

  private static let head = """
    muster: 1
    resources: {cpus: 2, memory: 1G, disk: 3G}
    distros:
      debian-12: {image: {debootstrap: bookworm}}

    """

  private static let verdicts =
    head + """
      secrets: [MUSTER_TEST_TOKEN]
      logs: {limit: 1M}
      tests:
        fails:
          distros: all
          verify:
            - name: greet
              run: echo greeter 1.1.0
              stdout: {equals: greeter 1.2.0}
        dies:
          distros: all
          verify:
            - run: |
                echo 1 > /proc/sys/kernel/sysrq
                echo c > /proc/sysrq-trigger
                sleep 600
        floods:
          distros: all
          verify:
            - run: |
                echo "the token is ${MUSTER_TEST_TOKEN}"
                yes 'a line of many' | head -c 100000000
                echo the last line
              stdout: {contains: the last line}

      """

  private static let mirror =
    head + """
      tests:
        install:
          distros: all
          provision:
            - run: |
                rm -rf /etc/apt/sources.list.d
                echo 'deb http://mirror.invalid/debian bookworm main' > /etc/apt/sources.list
            - install: [jq]
          verify:
            - run: jq --version
      """

  private static let waits =
    head + """
      tests:
        waits:
          distros: all
          verify:
            - run: |
                echo I am here
                sleep 3600

      """
}
