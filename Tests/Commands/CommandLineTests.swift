import Foundation
import MusterHost
import Testing

/// What needs no machine: files, command lines and exit statuses.
@Suite struct CommandLineTests {
  private let muster = MusterProcess()

  static let matrix = """
    muster: 1
    name: Small
    distros:
      one: {image: debian/12, tags: [lts]}
      two: {image: fedora/43}
    tests:
      works:
        distros: all
        verify:
          - run: echo hello
    exclude:
      - {test: works, distro: two, reason: "not packaged yet"}

    """

  @Test func tellsItsVersion() async throws {
    let output = try await muster("--version")
    #expect(output.ending == .exited(0))
    #expect(output.text.split(separator: ".").count == 3)
  }

  @Test(arguments: [
    ["frobnicate"], ["run"], ["plan", "a.yaml", "--shard", "1/2"], ["run", "a.yaml", "--keep", "all"],
  ])
  func refusesAWrongCommandLine(arguments: [String]) async throws {
    let output = try await muster.run(arguments)
    #expect(output.ending == .exited(64))
    #expect(!output.errorText.isEmpty)
  }

  /// What a name holds reaches no terminal and no CI system as it is.
  @Test func aPlanIsHarmless() async throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "matrix.yaml", Self.matrix.replacing("name: Small", with: #"name: "x\e[31my\u202e\n::error::hi""#))
    for arguments in [["plan", file], ["run", file, "--dry-run"], ["plan", file, "--explain", "works@one"]] {
      let output = try await muster.run(arguments)
      #expect(output.ending == .exited(0), "\(output.errorText)")
      #expect(!output.text.contains("\u{1B}") && !output.text.contains("\u{202E}"))
      #expect(!output.text.split(separator: "\n").contains { $0.hasPrefix("::") })
    }
  }

  @Test func anEmptyNameOfAFileIsRefused() async throws {
    for option in ["--output", "--junit", "--json", "--events", "--markdown"] {
      let output = try await muster("run", "matrix.yaml", option, "")
      #expect(output.ending == .exited(64))
      #expect(output.errorText.contains("\(option) is empty"))
    }
  }

  @Test func explainsMistakesWhereTheyStand() async throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      distro:
        one: {image: debian/12}
      tests:
        works: {distros: all, verify: [{runs: "true"}]}

      """)
    let output = try await muster("check", file)
    #expect(output.ending == .exited(65))
    #expect(output.errorText.contains("\(file):2:1: error: "))
    #expect(output.errorText.contains("did you mean 'distros'?"))
    #expect(output.errorText.contains("\(file):5:35: error: "))
    #expect(output.errorText.contains("did you mean 'run'?"))
    // A run refuses it as well, before it asks for anything.
    #expect(try await muster("run", file).ending == .exited(65))
  }

  @Test func tellsBeforeARunWhatABackendCannotHave() async throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      distros:
        one: {image: [{debootstrap: bookworm}, debian/12]}
        two: {image: {debootstrap: bookworm}}
        three: {image: {lima: "template:debian-12", default: amazonlinux/2023}}
        four: {image: {debootstrap: trixie}}
      tests:
        works: {distros: all, verify: [{run: "true"}]}
      exclude:
        - {distro: four, reason: "not packaged yet"}

      """)
    #expect(try await muster("check", file).ending == .exited(0))
    #expect(try await muster("check", file, "--backend", "qemu").ending == .exited(0))
    let lima = try await muster("check", file, "--backend", "lima")
    #expect(lima.ending == .exited(65))
    #expect(
      lima.errorText.hasPrefix(
        """
        \(file):4:16: error: 'two' has no image that lima can start from
          4 |   two: {image: {debootstrap: bookworm}}
            |                ^~~~~~~~~~~~~~~~~~~~~~~
        hint: it can from almalinux/…, alpine/…, arch,
        """), "\(lima.errorText)")
    let orbstack = try await muster("plan", file, "--backend", "orbstack")
    #expect(orbstack.ending == .exited(0))
    #expect(
      orbstack.errorText.split(separator: "\n").filter { $0.contains(": warning: ") }.map { $0.dropFirst(file.count) }
        == [
          ":4:16: warning: 'two' has no image that orbstack can start from",
          ":5:18: warning: 'three' has no image that orbstack can start from",
        ], "\(orbstack.errorText)")
  }

  @Test func oneBackendMustDoForAllDistros() async throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      backend: [lima, multipass]
      distros:
        one: {family: debian, image: {multipass: noble}}
        two: {family: debian, image: {lima: "template:debian-12", multipass: noble}}
      tests:
        works: {distros: all, verify: [{run: "true"}]}

      """)
    #expect(try await muster("check", file).ending == .exited(0))
    #expect(try await muster("check", file, "--backend", "lima").ending == .exited(65))
    let torn = try scratch.write(
      "torn.yaml", try FileSystem.readText(file).replacing(", multipass: noble}}", with: "}}"))
    let output = try await muster("check", torn)
    #expect(output.ending == .exited(65))
    #expect(output.errorText.contains("\(torn):4:32: error: 'one' has no image that lima can start from"))
    #expect(output.errorText.contains("\(torn):5:32: error: 'two' has no image that multipass can start from"))
  }

  @Test func tellsAMissingFileApart() async throws {
    let output = try await muster("check", "/nowhere/matrix.yaml")
    #expect(output.ending == .exited(66))
    #expect(output.errorText.contains("/nowhere/matrix.yaml"))
  }

  @Test func planPrintsTheCells() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    let table = try await muster("plan", file)
    #expect(table.ending == .exited(0))
    #expect(table.text == "works@one\nworks@two  (excluded: not packaged yet)\nSmall: 2 cells, 1 excluded")
    let json = try await JSON(muster("plan", file, "--format", "json", "--tag", "lts").stdout)
    #expect(json["schema"].string == "muster.plan/1")
    #expect(json["cells"].array.map { $0["cell"].string } == ["works@one"])
    let explanation = try await muster("plan", file, "--explain", "works@one")
    #expect(explanation.text.contains("\n  echo hello"))
  }

  @Test func planSaysWhatIsKept() async throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      distros: {one: {image: debian/12}}
      tests:
        warm: {distros: all, provision: [{run: echo a, cache: 2h}, {run: echo b}], verify: [{run: echo c}]}
        cold: {distros: all, start: cold, provision: [{run: echo a, cache: 2h}], verify: [{run: echo c}]}
      """)
    let warm = try await muster("plan", file, "--explain", "warm@one").text
    #expect(warm.split(separator: "\n").count { $0.contains("kept for 2h") } == 1)
    #expect(warm.split(separator: "\n").drop { !$0.contains("run echo a") }.dropFirst().first?.contains("kept") == true)
    let cold = try await muster("plan", file, "--explain", "cold@one").text
    #expect(cold.contains("not kept: the machine boots"))
  }

  @Test func planSaysHowLongARunWillTake() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    let earlier = #""backend":"qemu","cell":"works@one","start":"booted","seconds":754.5}"#
    try scratch.write("durations.jsonl", "{\"matrix\":\"\(file)\",\(earlier)\n")
    for command in [["plan", file], ["run", file, "--dry-run"]] {
      let output = try await muster.run(command + ["--state", scratch.path])
      #expect(output.ending == .exited(0))
      #expect(output.text.hasSuffix("\nSmall: 2 cells, 1 excluded\nabout 13m by earlier runs"), "\(output.text)")
    }
    let json = try await JSON(muster("plan", file, "--format", "json", "--state", scratch.path).stdout)
    #expect(json["seconds"].double == 754.5)
    #expect(json["cells"].array.map { $0["seconds"].double } == [754.5, nil])
  }

  /// A plan that a full disk has cut short is no plan.
  @Test(
    .enabled(if: FileSystem.exists("/dev/full")), arguments: [[], ["--format", "json"], ["--explain", "works@one"]])
  func saysWhenThePlanCannotBeWritten(options: [String]) async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    let command = HostCommand(
      "sh", ["-c", "exec \"$0\" \"$@\" >/dev/full", MusterProcess.executable, "plan", file] + options)
    let output = try await command.run()
    #expect(output.ending == .exited(74))
    #expect(output.errorText.contains("standard output"))
  }

  @Test func selectsNothingWithAStatusOfItsOwn() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    #expect(try await muster("plan", file, "--tag", "lts", "--distro", "two").ending == .exited(4))
    let unknown = try await muster("plan", file, "work")
    #expect(unknown.ending == .exited(64))
    #expect(unknown.errorText.contains("works"))
  }

  @Test func refusesToRunWithoutASecret() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", "secrets: [MUSTER_TEST_TOKEN]\n" + Self.matrix)
    let output = try await muster("run", file, "--lock-file", "\(scratch.path)/lock")
    #expect(output.ending == .exited(65))
    #expect(output.errorText.contains("MUSTER_TEST_TOKEN"))
  }

  @Test func saysWhenNoBackendWorks() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    let output = try await MusterProcess(environment: ["PATH": "/nowhere"])
      .run(["run", file, "--lock-file", "\(scratch.path)/lock", "--cache", scratch.path, "--state", scratch.path])
    #expect(output.ending == .exited(69))
    #expect(output.errorText.contains("qemu"))
  }

  @Test func refusesAReportThatCannotBeWritten() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    let output = try await muster(
      "run", file, "--lock-file", "\(scratch.path)/lock", "--cache", scratch.path, "--output", "\(scratch.path)/out",
      "--junit", "/proc/nowhere/junit.xml")
    #expect(output.ending == .exited(74))
    #expect(output.errorText.contains("/proc/nowhere"))
  }

  @Test func waitsForTheLockAndSaysForWhom() async throws {
    let scratch = try Scratch()
    let file = try scratch.write("matrix.yaml", Self.matrix)
    let lock = RunLock(path: "\(scratch.path)/lock")
    let held = try await lock.take(deadline: .zero, as: LockHolder(command: "a test", matrix: "Theirs"))
    let output = try await muster("run", file, "--lock-file", "\(scratch.path)/lock", "--lock-timeout", "0")
    #expect(output.ending == .exited(75))
    #expect(output.errorText.contains("process \(HostFacts.processID)"))
    #expect(output.errorText.contains("a test (Theirs)"))
    let json = try await JSON(muster("lock", "--lock-file", "\(scratch.path)/lock", "--format", "json").stdout)
    #expect(json["pid"].int == Int(HostFacts.processID))
    held.release()
    #expect(try await muster("lock", "--lock-file", "\(scratch.path)/lock").text == "nobody holds the lock")
  }

  /// Stopped as by Ctrl-Z for longer than a step may take: the time did not run, so the step was not late.
  @Test func timeThatDidNotRunDoesNotCount() async throws {
    let scratch = try Scratch()
    let matrix = Self.matrix.replacing(
      "tests:", with: "setup: [{run: 'echo begun >begun; sleep 1', timeout: 4s}]\ntests:")
    let file = try scratch.write("matrix.yaml", matrix)
    let run = try await muster.start(
      [
        "run", file, "works@two", "--setup", "--output", "\(scratch.path)/out", "--state", scratch.path, "--lock-file",
        "\(scratch.path)/lock",
      ], log: "\(scratch.path)/log")
    while !FileSystem.exists("\(scratch.path)/begun") {
      try #require(run.ended == nil)
      try await Task.sleep(for: .milliseconds(10))
    }
    kill(run.processID, SIGSTOP)
    // Nothing tells when enough time has passed, but time itself.
    try await Task.sleep(for: .seconds(6))
    kill(run.processID, SIGCONT)
    #expect(await run.ending() == .exited(0))
    #expect(try FileSystem.readText("\(scratch.path)/log").contains("timed") == false)
  }
}

/// The README says what is true.
@Suite struct ReadmeTests {
  @Test func itsMatrixIsRight() async throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try FileSystem.readText("\(root.path)/README.md")
    let matrices = readme.components(separatedBy: "```yaml\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
      .filter { $0.hasPrefix("muster: 1") }
    #expect(!matrices.isEmpty)
    let scratch = try Scratch()
    for matrix in matrices {
      let output = try await MusterProcess()("check", scratch.write("matrix.yaml", matrix))
      #expect(output.ending == .exited(0), "\(output.errorText)")
      #expect(output.errorText.isEmpty)
    }
  }
}
