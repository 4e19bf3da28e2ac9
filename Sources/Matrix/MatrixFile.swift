package import MusterCatalog
package import MusterDiagnostics
import MusterYAML
import Synchronization

/// A matrix file that was read: its plan, or what is wrong with it.
package struct MatrixFile: Sendable {
  /// Everything there is to tell, in the order of the file; warnings too.
  package var diagnostics: [Diagnostic]
  /// Whether the file itself could not be read: missing, a folder, not allowed.
  package var isUnreadable: Bool
  private var decoded: DecodedMatrix?
  private var path: String
  private var workingDirectory: String

  /// Reads and checks a file, and those that it extends. Cells are not made yet: a file that is only checked costs no
  /// more than its text.
  /// - Parameters:
  ///   - path: The file as the person named it.
  ///   - workingDirectory: The absolute folder that `path` starts from.
  ///   - cpu: The architecture of machines where the matrix says none.
  package init(path: String, workingDirectory: String, cpu: CPU = .host) {
    self.path = path
    self.workingDirectory = workingDirectory
    var loader = Loader(workingDirectory: workingDirectory)
    guard let root = loader.load(path) else {
      diagnostics = loader.diagnostics
      isUnreadable = loader.isUnreadable
      return
    }
    isUnreadable = false
    let decoder = MatrixDecoder(workingDirectory: workingDirectory, cpu: cpu)
    decoder.diagnostics = loader.diagnostics
    let decoded = decoder.document(root)
    self.decoded = decoded
    Self.kept.withLock { $0.append((root, decoded.document)) }
    if decoded.document.cellCount > Plan.cellLimit {
      decoder.report(
        "the matrix makes more than \(Plan.cellLimit) cells",
        at: Span(file: root.span.file, start: root.span.start, end: root.span.start),
        hint: "use fewer axes, or several matrices")
    }
    diagnostics = decoder.diagnostics.ordered()
    if decoder.isFull {
      diagnostics.append(
        Diagnostic(
          .error, "these are \(MatrixDecoder.mostMistakes) mistakes, and no more are told", at: nil, path: path))
    }
  }

  /// Everything that was read, kept until the process ends: to take the tree of 100,000 lines apart takes a sixth of the
  /// time that the file takes altogether, and a process reads one file or a few.
  private static let kept = Mutex<[(Node, Document)]>([])

  package var hasErrors: Bool { diagnostics.hasErrors }

  /// The plan; `nil` when anything is wrong with the file.
  package func plan() -> Plan? {
    guard let decoded, !hasErrors else { return nil }
    let directory = Path.folder(of: Path.absolute(path, in: workingDirectory))
    return Plan(
      name: decoded.name ?? Path.stem(of: path), file: path, directory: directory, backends: decoded.backends,
      backendSettings: decoded.backendSettings, secrets: decoded.secrets, setup: decoded.setupSteps(in: directory),
      cells: decoded.cells(),
      document: decoded.document)
  }
}
