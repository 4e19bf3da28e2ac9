import Foundation
import MusterHost
import MusterTestManagers
import MusterTestSupport
import Testing

/// Runs on containers of a real LXD of the tests' own. Its daemon is no child of its client: it goes on creating what a
/// client that is killed has asked for. What is left is witnessed by LXD itself, and by /proc.
@Suite(.serialized, .enabled(Comment(rawValue: LXDServer.reason), LXDServer.works), .timeLimit(.minutes(20)))
struct LXDRealRunTests {
  private func ground(_ server: LXDServer, steps: [String] = ["sleep 600"]) throws -> KillingGround {
    try KillingGround(
      tests: ["one"], steps: steps, image: "{debootstrap: bookworm}",
      settings: """
        backends: {lxd: {instance: container}}
        resources: {cpus: 1, memory: 256M, disk: 2G}
        attempts: {launch: 1}
        """, environment: server.environment, options: ["--backend", "lxd"])
  }

  /// When a run is killed.
  enum Moment: String, CaseIterable {
    case whileItCreates
    case whenItIsLaunched
    case inAStep
  }

  private func wait(for moment: Moment, _ run: KillableRun, _ server: LXDServer) async throws {
    switch moment {
    case .whileItCreates:
      while try await server.names().isEmpty {
        try #require(run.process.ended == nil, "\(run.console)")
        try await Task.sleep(for: .milliseconds(5))
      }
    case .whenItIsLaunched: try await run.wait(for: "machine-launched")
    case .inAStep: try await run.wait(for: "step-started")
    }
  }

  private func expectNothingLeft(of run: KillableRun, _ server: LXDServer) async throws {
    try await FileLock("\(run.ground.path)/lock").take(deadline: .seconds(240)).release()
    #expect(try await server.names() == [])
    #expect(try run.left() == [])
    #expect(try FileSystem.names(in: "\(run.ground.path)/ledgers") == [])
  }

  @Test(arguments: Moment.allCases) func killed(_ moment: Moment) async throws {
    let server = try await LXDServer.shared()
    let ground = try ground(server)
    let run = try await ground.start()
    try await wait(for: moment, run, server)
    try await run.kill()
    try await expectNothingLeft(of: run, server)
    try run.expectReports(["error", "cancelled"], moment.rawValue)
  }

  /// The guardian dies with its run: what comes next does its work.
  @Test(arguments: Moment.allCases) func killedWithItsGuardian(_ moment: Moment) async throws {
    let server = try await LXDServer.shared()
    let ground = try ground(server)
    let run = try await ground.start()
    try await wait(for: moment, run, server)
    try await run.kill(withGuardian: true)
    #expect(try await ground.clean("--force").ending == .exited(0))
    try await expectNothingLeft(of: run, server)
  }

  @Test(arguments: Moment.allCases) func endedByASignal(_ moment: Moment) async throws {
    let server = try await LXDServer.shared()
    let ground = try ground(server)
    let run = try await ground.start()
    try await wait(for: moment, run, server)
    let watch = Stopwatch()
    kill(run.process.processID, SIGTERM)
    #expect(await run.process.ending() == .signaled(SIGTERM))
    #expect(watch.elapsed < .seconds(5))
    try await expectNothingLeft(of: run, server)
  }
}
