import Foundation
import MusterCatalog
import MusterDiagnostics

@testable import MusterMatrix

/// A folder with files of a test's own, which goes when the test is done with it.
struct Fixture: ~Copyable {
  let folder: URL

  init(_ files: [String: String]) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "muster-matrix-\(UUID().uuidString)")
    for (name, text) in files {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func read(_ path: String = "m.yaml", cpu: CPU = .x86_64) -> MatrixFile {
    MatrixFile(path: path, workingDirectory: folder.path, cpu: cpu)
  }
}

/// Reads a matrix; what is left out of the usual beginning is put there.
func read(_ text: String, cpu: CPU = .x86_64) throws -> MatrixFile {
  try Fixture(["m.yaml": text]).read(cpu: cpu)
}

/// The plan of a matrix that has nothing wrong.
func plan(_ text: String, cpu: CPU = .x86_64) throws -> Plan {
  let file = try read(text, cpu: cpu)
  guard let plan = file.plan() else { throw Mistakes(lines: file.diagnostics.map(\.line)) }
  return plan
}

struct Mistakes: Error {
  var lines: [String]
}

extension Diagnostic {
  /// All of it on one line: `m.yaml:3:5-9 error: …; hint: …; note at 2:1: …`.
  var line: String {
    let place = span.map { span in
      let end = span.start.line == span.end.line ? "\(span.end.column)" : "\(span.end.line):\(span.end.column)"
      return "\(span.file.path):\(span.start.line):\(span.start.column)-\(end) "
    }
    let notes = notes.map { note in
      "; note\(note.span.map { " at \($0.start.line):\($0.start.column)" } ?? ""): \(note.message)"
    }
    return (place ?? "") + "\(severity): \(message)" + (hint.map { "; hint: \($0)" } ?? "") + notes.joined()
  }
}
