import MusterHost
import MusterMachines
import MusterTestManagers
import MusterTestSupport

/// The managers for which executables stand in.
enum FakeSubject {
  static let all = FakeKind.allCases.map { kind in
    Subject(
      name: kind.rawValue,
      obstacle: { await FakeManager.makesMachines() ? nil : FakeManager.reason },
      with: { body in
        try await FakeManager.with(kind) { fake in
          try await body(
            Site(
              backend: fake.backend(), request: fake.request(), folder: fake.folder.path,
              makeOther: { try await fake.makeOther($0) }, tellsOwnByMore: kind == .lima))
        }
      })
  }
}
