import MusterDiagnostics
import MusterHost
import MusterMachines
import Testing

@testable import MusterExecution

@Suite struct StepTests {
  /// As a shell tells it.
  @Test func aSignalIsAnExitStatusToo() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run("tests: {a: {verify: [{run: 'kill -9 $$', exit: [3, 137]}]}}\n")
    #expect(events.outcomes == [.passed])
    let other = try await Fixture().run("tests: {a: {verify: [{run: 'kill -15 $$', exit: 137}]}}\n")
    #expect(other.outcomes == [.failed])
  }

  @Test func retries() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      tests:
        t:
          verify:
            - {run: 'echo x >>$ROOT/n; test $(wc -l <$ROOT/n) = 3', retry: {count: 2, delay: 1ms}}
            - {run: 'echo $(wc -l <$ROOT/n); exit 1', retry: {count: 1, delay: 1ms}}
      """)
    #expect(events.steps.map(\.outcome) == [.passed, .failed])
    #expect(events.steps.map(\.tries) == [3, 2])
    #expect(events.briefs.count { $0 == "step again: exit status 1, expected 0" } == 3)
    #expect(events.steps[1].tail == ["3"])
  }

  @Test func waiting() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      tests:
        t:
          verify:
            - {wait: 'echo x >>$ROOT/n; test $(wc -l <$ROOT/n) = 3', interval: 1ms}
            - {wait: 'echo still not; exit 7', interval: 1ms, timeout: 3s}
      """)
    #expect(events.steps.map(\.outcome) == [.passed, .timedOut])
    let reason = try #require(events.steps[1].reason)
    #expect(reason.blame == nil)
    #expect(reason.evidence == ["the last try: exit status 7", "still not"])
    #expect(events.outcomes == [.timedOut])
  }

  @Test func files() async throws {
    let fixture = try Fixture()
    try FileSystem.createFolder("\(fixture.folder)/dist")
    try FileSystem.write("hello", to: "\(fixture.folder)/dist/greeting")
    let events = try await fixture.run(
      """
      tests:
        t:
          provision:
            - copy: {from: dist/greeting, to: /opt/greeting, mode: "0600"}
          verify:
            - run: "cat $ROOT/opt/greeting; stat -c %a $ROOT/opt/greeting"
              stdout: {equals: "hello600"}
            - fetch: /opt/greeting
            - fetch: {from: /opt/greeting}
            - fetch: {from: /opt/greeting, to: logs/one}
            - fetch: {from: /opt/gr*, to: all}
            - fetch: {from: /opt/nothing, optional: true}
            - fetch: /opt/nothing
      """)
    #expect(events.outcomes == [.failed])
    #expect(events.steps.dropLast().allSatisfy { $0.outcome == .passed })
    #expect(events.steps.last?.mismatch?.actual == "no such file")
    for name in ["greeting", "greeting-2", "logs/one", "all/greeting"] {
      #expect(try fixture.text("cells/t-d/attempt-1/artifacts/\(name)") == "hello")
    }
    #expect(try FileSystem.names(in: "\(fixture.output)/cells/t-d/attempt-1").allSatisfy { !$0.hasPrefix("incoming") })
  }

  @Test func checks() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      tests:
        t:
          verify:
            - check: {command: sh}
            - check: {file: /, type: directory}
            - check: {user: root, home: /nowhere}
      """)
    #expect(events.steps.map(\.outcome) == [.passed, .passed, .failed])
    #expect(
      events.steps[2].mismatch
        == Mismatch(
          subject: "user root", expected: "home /nowhere", actual: "home /root",
          location: events.steps[2].location))
  }

  @Test func whatCannotBeCheckedIsNoFailure() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      "tests: {t: {env: {PATH: /nowhere}, verify: [{check: {package: x}}]}}\n")
    // The local machine's shell is found by the PATH of this process, but nothing is found by the step's.
    #expect(events.steps.map(\.outcome) == [.error])
    #expect(events.steps[0].reason?.blame == .guest)
  }

  @Test func reboots() async throws {
    let fixture = try Fixture()
    #expect(try await fixture.run("tests: {t: {verify: [reboot: ]}}\n").outcomes == [.passed])
    #expect(fixture.backend.reboots == 1)
  }

  @Test func circumstancesThatDoNotExist() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run("tests: {t: {verify: [{run: 'true', as: nobody-here}]}}\n")
    #expect(events.outcomes == [.error])
    #expect(events.cells[0].reason?.blame == .matrix)
  }

  @Test func environment() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      env: {A: matrix, B: matrix, C: matrix}
      tests:
        t:
          env: {B: test, C: test}
          verify:
            - run: echo "$A $B $C"
              env: {C: step}
              stdout: {equals: matrix test step}
      """)
    #expect(events.outcomes == [.passed])
  }

  // MARK: - Mirrors

  /// An `apt-get` that finds no mirror until it was called `count` times.
  private func fakeApt(_ fixture: Fixture, failing count: Int) throws -> String {
    let folder = "\(fixture.folder)/bin"
    try FileSystem.createFolder(folder)
    try FileSystem.write(
      """
      #!/bin/sh
      echo "$@" >>\(fixture.folder)/calls
      if test "$(wc -l <\(fixture.folder)/calls)" -le \(count); then
        echo "E: Failed to fetch http://m/InRelease  Temporary failure resolving 'm'"
        exit 100
      fi
      echo "E: Unable to locate package nonesuch"
      case "$*" in *nonesuch*) exit 100 ;; esac

      """, to: "\(folder)/apt-get", mode: 0o755)
    return "\(folder):/usr/bin:/bin"
  }

  @Test func aMirrorIsAskedAgain() async throws {
    let fixture = try Fixture()
    let path = try fakeApt(fixture, failing: 2)
    let events = try await fixture.run("tests: {t: {provision: [{install: [git], env: {PATH: '\(path)'}}]}}\n")
    #expect(events.outcomes == [.passed])
    #expect(events.steps.map(\.tries) == [3])
    let calls = try FileSystem.readText("\(fixture.folder)/calls").split(separator: "\n")
    #expect(calls.map { $0.split(separator: " ").last.map(String.init) } == ["update", "update", "update", "git"])
  }

  @Test func aMirrorThatStaysAwayIsNotTheReleasesFault() async throws {
    let fixture = try Fixture()
    let path = try fakeApt(fixture, failing: 100)
    let events = try await fixture.run(
      """
      env: {PATH: '\(path)'}
      tests:
        install: {provision: [{install: [git]}]}
        run: {verify: [{run: apt-get update}]}
        tool: {provision: [run: "echo 'curl: (6) Could not resolve host: example.org' >&2; exit 6"]}
        own: {verify: [run: "echo 'curl: (6) Could not resolve host: example.org' >&2; exit 6"]}
        silent:
          provision:
            - run: apt-get update || true
            - run: "echo 'E: Unable to locate package git'; exit 100"
      """)
    #expect(events.outcomes == [.error, .error, .error, .failed, .error])
    #expect(events.cells.map(\.reason?.blame) == [.mirror, .mirror, .mirror, nil, .mirror])
    for cell in events.cells where cell.outcome == .error { #expect(cell.reason?.evidence.isEmpty == false) }
    #expect(events.steps[0].tries == 3)
    #expect(events.steps[1].tries == 1)
  }

  @Test func aPackageThatDoesNotExistIsTheMatrixsFault() async throws {
    let fixture = try Fixture()
    let path = try fakeApt(fixture, failing: 0)
    let events = try await fixture.run("tests: {t: {provision: [{install: [nonesuch], env: {PATH: '\(path)'}}]}}\n")
    #expect(events.outcomes == [.error])
    #expect(events.cells[0].reason?.blame == .matrix)
    #expect(events.cells[0].reason?.evidence == ["E: Unable to locate package nonesuch"])
  }

  // MARK: - Limits

  @Test func aStepThatTakesTooLong() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      "timeouts: {step: 1s}\ntests: {t: {verify: [{run: 'echo begun; sleep 1000'}]}}\n",
      status: BackendStatus(accelerator: "tcg", timeScale: 1.5))
    #expect(events.outcomes == [.timedOut])
    #expect(events.cells[0].reason?.message == "not done within 1.5s (1s × 1.5 for tcg)")
    #expect(events.cells[0].reason?.blame == nil)
    #expect(events.steps[0].tail == ["begun"])
    #expect(events.briefs.contains("slow step"))
    #expect(events.briefs.contains("notice: time-outs are scaled: 1m is 1m 30s (1m × 1.5 for tcg)"))
    #expect(events.briefs.contains("purged"))
  }

  @Test func aCellThatTakesTooLong() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      timeouts: {cell: 400ms, step: 1h}
      attempts: {cell: 5}
      tests: {t: {verify: [{run: 'true'}, {run: 'sleep 1000'}]}}
      """)
    #expect(events.outcomes == [.timedOut])
    #expect(events.cells[0].reason?.message == "the cell's time of 0.4s is over")
    #expect(events.attempts.count == 1)
    #expect(events.briefs.contains("slow cell"))
  }

  /// What Muster does for a person is not the release's fault when it takes long.
  @Test func aCheckThatTakesTooLong() async throws {
    let fixture = try Fixture()
    try FileSystem.createFolder("\(fixture.folder)/bin")
    try FileSystem.write("#!/bin/sh\nexec sleep 1000\n", to: "\(fixture.folder)/bin/dpkg-query", mode: 0o755)
    let events = try await fixture.run(
      "tests: {t: {env: {PATH: '\(fixture.folder)/bin:/bin:/usr/bin'}, verify: [{check: {package: x}, timeout: 100ms}]}}\n"
    )
    #expect(events.outcomes == [.timedOut])
    #expect(events.cells[0].reason?.blame == .guest)
  }
}
