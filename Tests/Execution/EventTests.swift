import CustomDump
import Foundation
import MusterDiagnostics
import MusterHost
import MusterMachines
import Testing

@testable import MusterExecution

@Suite struct EventTests {
  /// The events of a run in which much happens survive being written and read.
  @Test func roundTrip() async throws {
    let fixture = try Fixture(LocalBackend.Faults(launches: [Failure(.backend, "busy", hint: "wait", canPass: true)]))
    let events = try await fixture.run(
      """
      attempts: {launch: 2}
      tests:
        a: {verify: [{run: "true"}]}
        b: {verify: [{run: echo no, stdout: {contains: yes}, retry: {count: 1, delay: 1ms}}]}
        c: {verify: [{run: "true"}]}
      exclude: [{test: c, reason: "not here"}]
      """)
    #expect(events.count > 30)
    for event in events {
      let data = try JSONEncoder().encode(Event(time: 1, elapsed: 0.5, kind: event))
      #expect(diff("\(try JSONDecoder().decode(Event.self, from: data).kind)", "\(event)") == nil)
    }
  }

  @Test func times() async throws {
    let fixture = try Fixture()
    let times = Times()
    _ = try await fixture.run(
      "tests: {a: {verify: [{run: 'true'}]}}\n", onEvent: { _, event in await times.append(event) })
    let elapsed = await times.events.map(\.elapsed)
    #expect(elapsed == elapsed.sorted())
    #expect(await times.events.allSatisfy { $0.time > 1_700_000_000_000 })
  }

  /// What is needed to say where the time went: how machines come to be, images, pauses.
  @Test func whatTakesTimeIsTold() async throws {
    let busy = Failure(.backend, "busy", canPass: true)
    let fixture = try Fixture(LocalBackend.Faults(launches: [busy], images: [busy], start: .resumed))
    let events = try await fixture.run(
      """
      attempts: {launch: 2, cell: 2}
      tests: {t: {verify: [{run: 'exit 1', retry: {count: 1, delay: 1ms}}]}}

      """)
    let images = events.compactMap { if case .imageReady(_, let image, _) = $0 { image } else { nil } }
    #expect(images == ["debian/12"])
    let starts = events.compactMap { if case .machineLaunched(_, _, let start) = $0 { start } else { nil } }
    #expect(starts == [.resumed, .resumed])
    // For the image, the launch, the step in each attempt, and the second attempt.
    let pauses = events.compactMap { if case .waiting(_, let seconds) = $0 { seconds } else { nil } }
    #expect(pauses == [0.001, 0.001, 0.001, 0.001, 0.001])
  }

  private actor Times {
    var events: [Event] = []
    func append(_ event: Event) { events.append(event) }
  }

  @Test func runIDs() {
    let id = RunID(time: Timestamp(milliseconds: 1_700_000_000_000))
    #expect(id.text.hasPrefix("20231114T221320Z-"))
    #expect(Set((0..<100).map { _ in RunID().text }).count == 100)
  }
}
