import MusterDiagnostics

extension LifecycleTemplate {
  /// The lifecycle of a cell, with every variable in place; `nil` when nothing happens beside installing and verifying.
  /// - Parameter steps: The test's own steps of provision in the cell, one of which is the release's.
  func lifecycle(
    _ course: Lifecycle.Course, of steps: [Step], _ context: CellContext, _ resolve: ([StepTemplate]) -> [Step]
  ) -> Lifecycle? {
    let release = steps.lazy.compactMap { step in
      if case .channel(let channel, nil, _) = step.action { channel } else { nil }
    }.last
    guard let release else { return nil }
    let other = { (other: Other) in
      var older = release
      older.version = other.version.map(context.masked)
      switch (other.source, release.source) {
      case (.file(let place), .appImage(var image)):
        image.place = place.appImage(context, base: other.base)
        image.sha256 = nil
        older.source = .appImage(image)
      case (let source?, .repository(let own)):
        older.source = source.source(of: release.channel, context, base: other.base, own: own)
      case (let source?, _): older.source = source.source(of: release.channel, context, base: other.base)
      case (nil, _): break
      }
      return Lifecycle.Wish(
        Lifecycle.Other(release: older, verify: resolve(other.verify), settings: other.settings),
        at: other.span.location)
    }
    return Lifecycle(
      course: course, upgrade: upgrade.map(other), downgrade: downgrade.map(other), reinstall: reinstall?.location,
      remove: remove?.location, purge: purge?.location, installAgain: installAgain?.location,
      leftovers: leftovers.map { leftovers in
        Lifecycle.Wish(
          leftovers.ignored.map { ignored in
            Lifecycle.Ignored(path: context.text(ignored.path), reason: ignored.reason.map(context.text))
          }, at: leftovers.span.location)
      },
      refuses: refuses.map { Lifecycle.Wish($0.refusal, at: $0.span.location) })
  }

  /// What happens in a course, in short.
  func wishes(of course: Lifecycle.Course) -> [(title: String, span: Span)] {
    switch course {
    case .install:
      [
        ("reinstall", reinstall), ("remove", remove), ("purge", purge), ("look for leftovers", leftovers?.span),
        ("install again", installAgain),
      ].compactMap { title, span in span.map { (title, $0) } }
    case .upgrade: upgrade.map { [("upgrade", $0.span)] } ?? []
    case .downgrade: downgrade.map { [("downgrade", $0.span)] } ?? []
    case .refuse: refuses.map { ("refuse \($0.refusal.rawValue)", $0.span) }
    }
  }
}
