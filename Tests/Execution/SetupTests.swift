import MusterDiagnostics
import MusterHost
import Testing

@testable import MusterExecution

@Suite struct SetupTests {
  @Test func itMakesWhatIsTested() async throws {
    let fixture = try Fixture()
    let matrix = """
      setup:
        - run: echo hello >greeting; pwd; echo "${TOKEN}"
          stdout: {contains: "\(fixture.folder)"}
      secrets: [TOKEN]
      tests: {t: {provision: [{copy: {from: greeting, to: /greeting}}], verify: [{run: cat $ROOT/greeting}]}}
      """
    let secrets = try Secrets(["TOKEN"]) { _ in "hidden-value" }
    let events = try await fixture.run(matrix, secrets: secrets) { $0.setup = true }
    #expect(events.outcomes == [.passed])
    #expect(events.briefs.prefix(2) == ["run started", "setup passed"])
    let step = try #require(events.compactMap { if case .setupFinished(let step) = $0 { step } else { nil } }.first)
    let log = try fixture.text(try #require(step.log))
    #expect(log.contains("***") && !log.contains("hidden-value"))
  }

  @Test func withoutItNothingIsTested() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      """
      setup: [{run: echo broken; exit 2}, {run: "true"}]
      tests: {t: {verify: [{run: "true"}]}, u: {verify: [{run: "true"}]}}
      exclude: [{test: u, reason: "not here"}]
      """
    ) { $0.setup = true }
    #expect(events.briefs == ["run started", "setup failed", "t@d cancelled", "u@d skipped", "run finished"])
    #expect(events.end?.reason?.blame == .matrix)
    #expect(fixture.backend.requests.isEmpty)
  }

  @Test func itIsOnlyDoneOnRequest() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run("setup: [{run: exit 2}]\ntests: {t: {verify: [{run: 'true'}]}}\n")
    #expect(events.outcomes == [.passed])
  }

  @Test func itEndsWithTheRun() async throws {
    let fixture = try Fixture()
    let interruption = Interruption()
    let events = try await fixture.run(
      "setup: [{run: sleep 1000}]\ntests: {t: {verify: [{run: 'true'}]}}\n", interruption: interruption,
      options: { $0.setup = true }
    ) { _, event in
      if case .working = event.kind { interruption.interrupt(signal: 15) }
    }
    #expect(events.briefs == ["run started", "setup cancelled", "t@d cancelled", "run finished"])
    #expect(events.end?.signal == 15)
  }
}
