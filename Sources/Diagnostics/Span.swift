/// The text of a file that a person wrote, kept so that a diagnostic can show the line it speaks of.
package final class SourceFile: Sendable {
  /// The path as the person gave it, for display.
  package let path: String
  /// The file's bytes, valid UTF-8, without a byte order mark.
  package let bytes: [UInt8]

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
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
  package var file: SourceFile
  package var start: Position
  package var end: Position

  package init(file: SourceFile, start: Position, end: Position) {
    self.file = file
    self.start = start
    self.end = end
  }

  /// Where the span starts, for records and reports.
  package var location: Location {
    Location(file: file.path, line: Int(start.line), column: Int(start.column))
  }

  package static func == (left: Span, right: Span) -> Bool {
    left.file === right.file && left.start == right.start && left.end == right.end
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(file))
    hasher.combine(start)
    hasher.combine(end)
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
