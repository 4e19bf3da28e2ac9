import SystemPackage

extension Failure {
  /// A failed operation on a file: `cannot write '/a/b': permission denied`.
  /// - Parameter action: The verb: `write`, `read`, `create`.
  package init(_ error: any Error, _ action: String, _ path: String) {
    let error = error as? Errno
    switch error {
    case .some(.noSpace), .some(.diskQuotaExceeded):
      self.init(
        .host, "disk full: cannot \(action) '\(path)'", hint: "free space on its file system and run again")
    default:
      let reason = error.map { Self.lowercaseFragment("\($0)") } ?? "unknown error"
      self.init(.host, "cannot \(action) '\(path)': \(reason)")
    }
  }

  /// The system's `No such file or directory` in the middle of a sentence.
  private static func lowercaseFragment(_ text: String) -> String {
    text.prefix(1).lowercased() + text.dropFirst()
  }
}
