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

  /// The first backend that works here.
  /// - Parameter preferences: Names in order, of which no other is tried; empty or `auto` for all there are.
  /// - Throws: `Failure` that tells of each why it does not work, and what to do about the first.
  package func choose(_ preferences: [String] = []) async throws(Failure) -> Choice {
    var reasons: [(name: String, problem: Failure)] = []
    for (name, backend) in candidates(preferences) {
      guard let backend else {
        let names = backends.map(\.name).joined(separator: ", ")
        reasons.append((name, Failure(.matrix, "there is no such backend", hint: "there are: \(names)")))
        continue
      }
      let status = await backend.status()
      guard let problem = status.problem else { return Choice(backend: backend, status: status) }
      reasons.append((name, problem))
    }
    let lines = reasons.map { "\($0.name): \($0.problem)" }
    throw Failure(
      .host, reasons.count == 1 ? "the backend does not work here" : "no backend works here", evidence: lines,
      hint: reasons.first?.problem.hint)
  }

  /// The machines that exist and bear Muster's name.
  /// - Returns: Also what is wrong with each backend that does not tell.
  package func machines() async -> (found: [Relic], failures: [Failure]) {
    var (found, failures): ([Relic], [Failure]) = ([], [])
    for backend in backends {
      do {
        found += try await backend.machines()
      } catch {
        failures.append(error as? Failure ?? Failure(.backend, "\(backend.name) does not tell its machines: \(error)"))
      }
    }
    return (found, failures)
  }

  private func candidates(_ preferences: [String]) -> [(name: String, backend: (any Backend)?)] {
    if preferences.isEmpty || preferences.contains("auto") { return backends.map { ($0.name, $0) } }
    return preferences.map { name in (name, backends.first { $0.name == name }) }
  }
}
