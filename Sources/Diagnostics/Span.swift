import Synchronization

/// The text of a file that a person wrote, kept so that a diagnostic can show the line it speaks of.
///
/// A file stays in memory as long as the process: spans name it by number. A large matrix has a million spans, which
/// are copied often, and counting references to their file would cost more than reading it.
package final class SourceFile: Sendable {
  /// The path as the person gave it, for display.
  package let path: String
  /// The file's bytes, without a byte order mark. They are valid UTF-8 if the file could be parsed.
  package let bytes: [UInt8]
  fileprivate let number: UInt32

  private static let all = Mutex<[SourceFile?]>([])

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    number = Self.all.withLock { files in
      files.append(nil)
      return UInt32(files.count - 1)
    }
    Self.all.withLock { $0[Int(number)] = self }
  }

  fileprivate static subscript(number: UInt32) -> SourceFile {
    guard let file = all.withLock({ $0[Int(number)] }) else {
      preconditionFailure("a number is given out by its file only")
    }
    return file
  }
}

/// A place between two characters of a file.
package struct Position: Sendable, Hashable, Comparable {
  /// The line, from 1.
  package var line: UInt32
  /// The column, from 1, in Unicode scalars.
  package var column: UInt32

  package init(line: Int, column: Int) {
    self.line = UInt32(clamping: line)
    self.column = UInt32(clamping: column)
  }

  package static func < (left: Position, right: Position) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// A stretch of a file, from its first character to just behind its last.
package struct Span: Sendable, Hashable {
  private var number: UInt32
  package var start: Position
  package var end: Position

  package init(file: SourceFile, start: Position, end: Position) {
    number = file.number
    self.start = start
    self.end = end
  }

  package var file: SourceFile { SourceFile[number] }

  /// Where the span starts, for records and reports.
  package var location: Location {
    Location(file: file.path, line: Int(start.line), column: Int(start.column))
  }
}

/// A place in a file that outlives the file's text: what events and reports carry.
package struct Location: Sendable, Hashable, Codable, CustomStringConvertible {
  package var file: String
  /// The line, from 1.
  package var line: Int
  /// The column, from 1.
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String { "\(file):\(line):\(column)" }
}
