extension [Diagnostic] {
  /// Whether any of them is an error.
  package var hasErrors: Bool { contains { $0.severity == .error } }

  /// In order of place, each once: those without a place first, then file by file as the files first occur. What
  /// stands at one place keeps its order.
  package func ordered() -> [Diagnostic] {
    var files: [ObjectIdentifier: Int] = [:]
    for case let span? in lazy.map(\.span) where files[ObjectIdentifier(span.file)] == nil {
      files[ObjectIdentifier(span.file)] = files.count + 1
    }
    var seen: Set<Diagnostic> = []
    return filter { seen.insert($0).inserted }
      .enumerated()
      .map { index, diagnostic in
        let file = diagnostic.span.flatMap { files[ObjectIdentifier($0.file)] } ?? 0
        let position = diagnostic.span?.start ?? Position(line: 0, column: 0)
        return (key: (file, position, index), diagnostic: diagnostic)
      }
      .sorted { $0.key < $1.key }
      .map(\.diagnostic)
  }
}
