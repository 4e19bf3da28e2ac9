import MusterHost
import Synchronization
import Testing

@testable import MusterExecution

/// Images are fetched while cells run that do not need them.
@Suite struct ImagesAheadTests {
  private static let head = """
    muster: 1
    distros:
      a: {image: debian/12, cpu: x86_64}
      b: {image: debian/13, cpu: x86_64}
      c: {image: ubuntu/24.04, cpu: x86_64}
    tests:

    """

  @Test(.timeLimit(.minutes(1))) func theNextOneIsFetchedMeanwhile() async throws {
    let fixture = try Fixture()
    let backend = fixture.backend
    let events = try await fixture.run(
      "  t: {distros: all, verify: [{run: 'true'}]}\n  u: {distros: all, verify: [{run: 'true'}]}\n"
        + "exclude: [{distro: b, reason: it is not wanted}]\n", head: Self.head,
      onEvent: { _, event in
        switch event.kind {
        case .stepStarted where backend.fetched.isEmpty:
          // The first cell goes on once the next image is asked for, and the cell that needs it waits for it.
          while backend.fetched.isEmpty { await Task.yield() }
        case .cellProgress(_, let activity) where activity.contains("on its way"): backend.delivery.keep(())
        default: break
        }
      })
    #expect(events.outcomes == [.passed, .passed, .skipped, .skipped, .passed, .passed])
    #expect(backend.fetched == ["ubuntu/24.04"])
    let shown = events.compactMap { event -> String? in
      if case .cellProgress(let cell, let activity) = event, activity.contains("on its way") { cell } else { nil }
    }
    #expect(Set(shown) == ["t@c"])
  }

  /// One at a time, and none that is not next; the same image under two names is one.
  @Test(.timeLimit(.minutes(1))) func noneIsFetchedBeforeItsTurn() async throws {
    let fixture = try Fixture()
    let backend = fixture.backend
    backend.delivery.keep(())
    let asked = Mutex<[String: [String]]>([:])
    let events = try await fixture.run(
      "  t: {distros: all, verify: [{run: 'true'}]}\n  u: {distros: all, verify: [{run: 'true'}]}\n",
      head: """
        muster: 1
        distros:
          a: {image: debian/12, cpu: x86_64}
          b: {image: debian/12, cpu: x86_64, resources: {cpus: 1}}
          c: {image: debian/13, cpu: x86_64}
          d: {image: ubuntu/24.04, cpu: x86_64}
        tests:

        """,
      onEvent: { _, event in
        if case .stepStarted(let cell, _, _, _, _) = event.kind {
          while backend.fetched.isEmpty { await Task.yield() }
          asked.withLock { $0[String(cell.suffix(1)), default: []] += backend.fetched }
        }
      })
    #expect(events.outcomes.allSatisfy { $0 == .passed } && events.outcomes.count == 8)
    let seen = asked.withLock { $0.mapValues { Set($0) } }
    #expect(seen["a"] == ["debian/13"] && seen["b"] == ["debian/13"])
    #expect(backend.fetched == ["debian/13", "ubuntu/24.04"])
  }

  @Test(.timeLimit(.minutes(1))) func theEndOfTheRunEndsIt() async throws {
    let fixture = try Fixture()
    let events = try await fixture.run(
      "  t: {distros: [a, b], verify: [{run: exit 1}]}\n", head: Self.head, options: { $0.failFast = true })
    #expect(events.outcomes == [.failed, .cancelled])
    #expect(fixture.backend.fetched.count <= 1)
  }
}
