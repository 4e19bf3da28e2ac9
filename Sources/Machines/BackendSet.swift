package import MusterHost

/// The backends that there are.
package struct BackendSet: Sendable {
  /// In the order in which they are tried where a person has no preference.
  package var backends: [any Backend]

  package init(_ backends: [any Backend]) {
    self.backends = backends
  }

  package struct Choice: Sendable {
    package var backend: any Backend
    package var status: BackendStatus
  }

  /// The first backend that works here and does for all that is wanted of it; else the first that works.
  /// - Parameters:
  ///   - preferences: Names in order, of which no other is tried; empty or `auto` for all there are.
  ///   - statuses: What is known already, by the backends' names.
  ///   - suffices: Whether a backend does for all.
  /// - Throws: `Failure` that tells of each why it does not work, and what to do about the first.
  package func choose(
    _ preferences: [String] = [], statuses: [String: BackendStatus] = [:],
    where suffices: (any Backend) -> Bool = { _ in true }
  ) async throws(Failure) -> Choice {
    var reasons: [(name: String, problem: Failure)] = []
    var first: Choice?
    for (name, backend) in candidates(preferences) {
      guard let backend else {
        let names = backends.map(\.name).joined(separator: ", ")
        reasons.append((name, Failure(.matrix, "there is no such backend", hint: "there are: \(names)")))
        continue
      }
      let status = if let known = statuses[name] { known } else { await backend.status() }
      if let problem = status.problem {
        reasons.append((name, problem))
        continue
      }
      let choice = Choice(backend: backend, status: status)
      if suffices(backend) { return choice }
      first = first ?? choice
    }
    if let first { return first }
    let lines = reasons.map { "\($0.name): \($0.problem)" }
    throw Failure(
      .host, reasons.count == 1 ? "the backend does not work here" : "no backend works here", evidence: lines,
      hint: reasons.first?.problem.hint)
  }

  /// The machines that exist and bear Muster's name.
  /// - Returns: Also what is wrong with each backend that does not tell.
  package func machines() async -> (found: [Relic], failures: [(backend: String, failure: Failure)]) {
    var (found, failures): ([Relic], [(String, Failure)]) = ([], [])
    for backend in backends {
      do {
        found += try await backend.machines()
      } catch {
        let failure =
          error as? Failure ?? Failure(.backend, "\(backend.name) does not tell its machines: \(error)")
        failures.append((backend.name, failure))
      }
    }
    return (found, failures)
  }

  private func candidates(_ preferences: [String]) -> [(name: String, backend: (any Backend)?)] {
    if preferences.isEmpty || preferences.contains("auto") { return backends.map { ($0.name, $0) } }
    return preferences.map { name in (name, backends.first { $0.name == name }) }
  }
}
