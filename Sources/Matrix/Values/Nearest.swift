import MusterDiagnostics

/// Hints that name what a person most likely meant.
enum Nearest {
  /// `did you mean 'memory'?`, or `nil` when nothing is near.
  static func question(_ name: String, among candidates: some Sequence<String>) -> String? {
    nearest(to: name, in: candidates).map { "did you mean '\($0)'?" }
  }

  /// The question, or else the list of what there is, as long as it is short.
  static func hint(_ name: String, among candidates: [String], listing what: String) -> String? {
    if let question = question(name, among: candidates) { return question }
    guard !candidates.isEmpty, candidates.count <= 24 else { return nil }
    return "\(what): \(candidates.joined(separator: ", "))"
  }
}
