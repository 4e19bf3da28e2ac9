package import MusterDiagnostics

/// What a YAML file says, and what is wrong with it.
///
/// A mistake that leaves the rest of the file readable (a key given twice, a tag) does not stop the reading, so that one
/// go tells all mistakes. Without a root there is always an error.
package struct YAMLDocument: Sendable {
  /// The outermost value; `nil` when the file is no YAML, is empty, or goes beyond a limit.
  package var root: Node?
  /// In the order of the file.
  package var diagnostics: [Diagnostic]

  /// Reads the one document of a file.
  package static func parse(_ file: SourceFile) -> YAMLDocument {
    if let problem = TextCheck.firstProblem(in: file) {
      return YAMLDocument(root: nil, diagnostics: [problem])
    }
    return unsafe file.bytes.withUnsafeBufferPointer { bytes in
      var composer = unsafe Composer(file: file, bytes: bytes)
      return composer.document()
    }
  }
}

/// How much a file may hold. An honest matrix stays far below; a hostile one costs little time and memory.
enum Limits {
  /// Bytes of a file.
  static let bytes = 64 << 20
  /// Values inside values, those behind aliases counted where they stand.
  static let depth = 64
  /// Values that are written in the file.
  static let values = 1_000_000
  /// Values that aliases and merge keys put in place again, each time counted.
  static let repeatedValues = 1_000_000
  /// Errors that are told of one file.
  static let errors = 100
}
