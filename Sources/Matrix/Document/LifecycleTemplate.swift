import MusterDiagnostics

/// A test's `lifecycle` as the file says it, for whichever cell.
struct LifecycleTemplate: Sendable {
  var upgrade: Other?
  var downgrade: Other?
  var reinstall: Span?
  var remove: Span?
  var purge: Span?
  var installAgain: Span?
  var leftovers: Leftovers?
  var refuses: [(refusal: Lifecycle.Refusal, span: Span)] = []

  /// The courses of the test's cells.
  var courses: [Lifecycle.Course] {
    Lifecycle.Course.allCases.filter { course in
      switch course {
      case .install: true
      case .upgrade: upgrade != nil
      case .downgrade: downgrade != nil
      case .refuse: !refuses.isEmpty
      }
    }
  }

  /// The other release.
  struct Other: Sendable {
    var version: Template?
    /// Where it comes from, if not from where the release itself does.
    var source: StepTemplate.Channel.Source?
    /// The absolute folder that relative paths start in.
    var base: String
    var settings = Lifecycle.Settings.untouched
    var verify: [StepTemplate] = []
    var span: Span
  }

  struct Leftovers: Sendable {
    var ignored: [(path: Template, reason: Template?)] = []
    var span: Span
  }
}
