import MusterCatalog
import MusterDiagnostics
import MusterHost
import MusterMachines
import MusterMatrix
import Testing

@testable import MusterExecution

@Suite struct ExecutorTests {
  @Test func aCellThatPasses() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      tests:
        t:
          provision: [{run: echo hello >$ROOT/greeting}]
          verify:
            - run: cat $ROOT/greeting
              stdout: {equals: hello}
      """)
    #expect(
      events.briefs == [
        "run started", "t@d started", "attempt 1", "launch {", "launched", "} launch", "provision {",
        "step: run echo hello >$ROOT/greeting", "step passed", "} provision", "verify {",
        "step: run cat $ROOT/greeting", "step passed", "} verify", "purge {", "purged", "} purge", "attempt passed",
        "t@d passed", "run finished",
      ])
    let log = try #require(events.steps.last?.log)
    let lines = try fixture.text(log).split(separator: "\n").map(String.init)
    #expect(lines.first == "# verify 1: run cat $ROOT/greeting")
    #expect(lines.contains("$ cat $ROOT/greeting"))
    #expect(lines.contains("hello"))
    #expect(lines.last?.hasPrefix("# passed after") == true)
    #expect(fixture.backend.purges.values.allSatisfy { $0 == 1 })
    let request = try #require(fixture.backend.requests.first)
    #expect(try FileSystem.information(request.workspace) == nil)
    #expect(request.workspace.utf8.count < 60)
  }

  @Test func aStepThatFailsEndsTheAttempt() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      tests:
        t:
          provision: [{run: mkdir $ROOT/logs; echo found >$ROOT/logs/a.log}]
          verify:
            - run: "echo greeter 1.1.0; echo oops >&2"
              stdout: {contains: 1.2.0}
            - run: "true"
            - fetch: /logs/*.log
        u:
          verify: [{run: exit 3}]
      """)
    #expect(events.outcomes == [.failed, .failed])
    let step = events.steps[1]
    #expect(step.outcome == .failed)
    #expect(
      step.mismatch
        == Mismatch(
          subject: "stdout", expected: "contains \"1.2.0\"", actual: "greeter 1.1.0",
          location: step.mismatch?.location))
    #expect(step.mismatch?.location?.line == 9)
    #expect(Set(step.tail) == ["greeter 1.1.0", "oops"])
    #expect(events.steps.count == 3)
    #expect(events.briefs.contains("collect {"))
    // What a later step would have fetched is fetched all the same.
    #expect(try fixture.text("cells/t-d/attempt-1/artifacts/a.log") == "found\n")
    #expect(events.steps[2].mismatch?.subject == "exit status")
    #expect(events.steps[2].mismatch?.expected == "0")
    #expect(events.steps[2].mismatch?.actual == "3")
    #expect(events.steps[2].reason?.blame == nil)
  }

  @Test func launchesAreTriedAgainOnlyWhenTheCauseCanPass() async throws {
    let passing = Failure(.backend, "the port was taken", canPass: true)
    let again = try Fixture(LocalBackend.Faults(launches: [passing, passing]))
    let events = try await again.run("attempts: {launch: 3}\ntests: {t: {verify: [{run: 'true'}]}}\n")
    #expect(events.outcomes == [.passed])
    #expect(events.briefs.count { $0 == "launch again: the port was taken" } == 2)
    #expect(Set(again.backend.requests.map(\.name)).count == 3)
    for request in again.backend.requests { #expect(try FileSystem.information(request.workspace) == nil) }

    let lasting = Failure(.image, "no root file system", evidence: ["VFS: Cannot open root device"])
    let once = try Fixture(LocalBackend.Faults(launches: [lasting]))
    let failed = try await once.run("attempts: {launch: 3, cell: 2}\ntests: {t: {verify: [{run: 'true'}]}}\n")
    #expect(failed.outcomes == [.error])
    #expect(failed.cells[0].reason?.blame == .image)
    #expect(failed.cells[0].reason?.evidence == ["VFS: Cannot open root device"])
    #expect(once.backend.requests.count == 1)
    #expect(!failed.briefs.contains("purge {"))
  }

  /// Nothing that was seen in a machine counts once what it runs on was changed, neither a failure nor a success.
  @Test(arguments: ["true", "false"]) func whatIsSeenInADamagedMachineDoesNotCount(_ script: String) async throws {
    let damage = Failure(.host, "'/disk' was changed while the machine ran on it", canPass: true)
    let matrix = "tests: {t: {verify: [{run: '\(script)'}]}}\n"
    let fixture = try Fixture(LocalBackend.Faults(damage: [damage]))
    let events = try await fixture.run(matrix)
    #expect(events.outcomes == [.error])
    #expect(events.cells[0].reason?.blame == .host)
    #expect(events.cells[0].reason?.message == damage.message)
    // What did not pass says so itself.
    #expect(events.steps[0].reason?.message == (script == "true" ? nil : damage.message))
    #expect(events.steps[0].mismatch == nil)

    let again = try Fixture(LocalBackend.Faults(damage: [damage]))
    #expect(try await again.run("attempts: {cell: 2}\n" + matrix).outcomes == [script == "true" ? .flaky : .failed])
  }

  /// What is kept of first steps is known by all that they depend on; and the files that they bring are told, to see whether they
  /// are still the same when it is kept.
  @Test func layersAreAskedFor() async throws {
    let fixture = try Fixture()
    try FileSystem.write("one", to: "\(fixture.folder)/a")
    let matrix = """
      tests:
        t:
          provision:
            - {run: 'true', cache: true}
            - {copy: {from: a, to: /a}, cache: 1h}
            - run: 'true'
          verify: [{run: 'true'}]

      """
    var asked: [[MachineLayer]] = []
    for content in ["one", "two", "one"] {
      try FileSystem.write(content, to: "\(fixture.folder)/a")
      try FileSystem.removeTree(fixture.output)
      #expect(try await fixture.run(matrix).outcomes == [.passed])
      asked.append(try #require(fixture.backend.requests.last).layers)
    }
    #expect(asked.allSatisfy { $0.map(\.isMade) == [false, true] })
    #expect(asked[0].map(\.lifetime) == [.seconds(86_400), .seconds(3600)])
    #expect(asked[0].map(\.content) == asked[2].map(\.content))
    #expect(asked[0][0] == asked[1][0])
    #expect(asked[0][1].content != asked[1][1].content)
    #expect(asked[2].map { $0.sources.map(\.path) } == [[], ["\(fixture.folder)/a"]])
    // The same content again is another life of the file.
    #expect(asked[0][1].sources != asked[2][1].sources)
    #expect(try asked[2][1].sources[0].tree == FileIdentity.tree("\(fixture.folder)/a"))
  }

  @Test func namesAreAsLongAsTheBackendAllows() async throws {
    let fixture = try Fixture(LocalBackend.Faults(nameLimit: 40))
    let test = "a-test-with-a-name-that-is-much-too-long-for-some"
    let events = try await fixture.run("tests: {\(test): {verify: [{run: 'true'}]}}\n")
    #expect(events.outcomes == [.passed])
    let name = try #require(fixture.backend.requests.first?.name)
    #expect(name.text.count <= 40)
    #expect(name.isMusters)
  }

  @Test func aLaunchThatHangsTimesOut() async throws {
    let fixture = try Fixture(LocalBackend.Faults(hangsAtLaunch: true))
    let events = try await fixture.run(
      "attempts: {launch: 1}\ntimeouts: {launch: 1s}\ntests: {t: {verify: [{run: 'true'}]}}\n",
      status: BackendStatus(accelerator: "tcg", timeScale: 0.05))
    #expect(events.outcomes == [.error])
    #expect(events.cells[0].reason?.blame == .backend)
    #expect(events.briefs.contains("slow launch"))
    #expect(try FileSystem.information(fixture.backend.requests[0].workspace) == nil)
  }

  @Test func imagesThatCannotBeHad() async throws {
    let none = try Fixture(LocalBackend.Faults(supportsImages: false))
    let unsupported = try await none.run("tests: {t: {verify: [{run: 'true'}]}}\n")
    #expect(unsupported.cells[0].reason?.blame == .matrix)
    #expect(unsupported.outcomes == [.error])
    #expect(none.backend.requests.isEmpty)

    let passing = Failure(.mirror, "the mirror does not answer", canPass: true)
    let late = try Fixture(LocalBackend.Faults(images: [passing]))
    #expect(try await late.run("tests: {t: {verify: [{run: 'true'}]}}\n").outcomes == [.passed])

    let wrong = Failure(.image, "the checksum is wrong")
    let either = try Fixture(LocalBackend.Faults(images: [wrong]))
    let head = "muster: 1\ndistros: {d: {image: [{debootstrap: bookworm}, debian/12]}}\n"
    #expect(try await either.run("tests: {t: {verify: [{run: 'true'}]}}\n", head: head).outcomes == [.passed])
    #expect(either.backend.requests[0].image.name == "debian/12")
  }

  @Test func aMachineThatDiesEndsItsStepAtOnce() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run("tests: {t: {verify: [{run: 'echo power off; sleep 1000'}, {run: 'true'}]}}\n")
    #expect(events.outcomes == [.error])
    #expect(events.steps.count == 1)
    #expect(events.steps[0].reason?.blame == .guest)
    #expect(events.steps[0].reason?.evidence == ["reboot: Power down"])
    #expect(!events.briefs.contains("collect {"))
    #expect(events.briefs.contains("purged"))
  }

  @Test func aPurgeThatFailsDoesNotHideTheOutcome() async throws {
    let fixture = try Fixture(LocalBackend.Faults(purge: Failure(.backend, "process 7 does not end", hint: "kill 7")))
    let events = try await fixture.run("tests: {t: {verify: [{run: 'true'}]}}\n")
    #expect(events.outcomes == [.passed])
    #expect(events.briefs.contains("left: process 7 does not end"))
    #expect(!events.briefs.contains("purged"))
  }

  @Test func aPurgeThatHangsIsLeft() async throws {
    let fixture = try Fixture(LocalBackend.Faults(hangsAtPurge: true))
    let events = try await fixture.run("tests: {t: {verify: [{run: exit 1}]}}\n") {
      $0.pauses.purge = .milliseconds(20)
    }
    #expect(events.outcomes == [.failed])
    #expect(events.briefs.contains("left: it is not purged yet"))
    fixture.backend.release.keep(())
    for request in fixture.backend.requests { try FileSystem.removeTree(request.workspace) }
  }

  @Test func machinesOfFailedCellsAreKeptOnRequest() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      "attempts: {cell: 2}\ntests: {a: {verify: [{run: 'true'}]}, b: {verify: [{run: exit 1}]}}\n"
    ) { $0.keep = .failed }
    #expect(events.outcomes == [.passed, .failed])
    // Only that of the last attempt.
    #expect(fixture.backend.kept == [events.attempts[2].machine])
    #expect(events.briefs.count { $0 == "purged" } == 2)
    for request in fixture.backend.requests { try FileSystem.removeTree(request.workspace) }
  }

  @Test func flakyAndRepeated() async throws {
    let fixture = try Fixture()
    let marker = "\(fixture.folder)/marker"
    let events = try await fixture.run(
      """
      attempts: {cell: 3}
      tests:
        flaky: {verify: [{run: "test -e \(marker) || { touch \(marker); exit 1; }"}]}
        failing: {verify: [{run: exit 1}]}
        wrong: {verify: [{copy: {from: nowhere, to: /x}}]}
      """)
    #expect(events.outcomes == [.flaky, .failed, .error])
    #expect(events.cells[0].reason?.message == "exit status 1, expected 0")
    #expect(events.attempts.map(\.attempt) == [1, 2, 1, 2, 3, 1])
    #expect(events.cells[2].reason?.blame == .matrix)
    #expect(
      try await fixture.run("attempts: {cell: 3}\ntests: {t: {verify: [{run: exit 1}]}}\n") { $0.attempts = 1 }
        .attempts.count == 1)
  }

  @Test func whatTheMatrixExpects() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      attempts: {cell: 2}
      tests:
        a: {verify: [{run: exit 1}]}
        b: {verify: [{run: "true"}]}
        c: {verify: [{run: "echo power off; sleep 1000"}]}
        e: {verify: [{run: "true"}]}
      exclude: [{test: e, reason: "not here"}]
      expect-failure:
        - {test: a, reason: "#1"}
        - {test: b, reason: "#2"}
        - {test: c, reason: "#3"}
      """)
    #expect(events.outcomes == [.expectedFailure, .unexpectedPass, .error, .skipped])
    #expect(events.cells.map(\.remark?.reason) == ["#1", "#2", nil, "not here"])
    #expect(events.attempts.map(\.cell) == ["a@d", "b@d", "c@d", "c@d"])
  }

  @Test func failFast() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      tests:
        a: {verify: [{run: "true"}]}
        b: {verify: [{run: exit 1}]}
        c: {verify: [{run: "true"}]}
        d: {verify: [{run: "true"}]}
      exclude: [{test: d, reason: "not here"}]
      """
    ) { $0.failFast = true }
    #expect(events.outcomes == [.passed, .failed, .cancelled, .skipped])
    #expect(events.end?.reason?.message == "--fail-fast after b@d: failed")
  }

  @Test func aLogThatCannotBeWrittenEndsTheRun() async throws {
    let fixture = try Fixture()
    try FileSystem.createFolder("\(fixture.output)/cells/a-d/attempt-1/verify-1-run-true.log")
    let events = try await fixture.run("tests: {a: {verify: [{run: 'true'}]}, b: {verify: [{run: 'true'}]}}\n")
    #expect(events.outcomes == [.error, .cancelled])
    #expect(events.cells[0].reason?.blame == .host)
    #expect(events.end?.reason?.blame == .host)
    #expect(events.briefs.contains("purged"))
  }
}
