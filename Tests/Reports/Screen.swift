/// As much of a terminal as the live line needs: rows that break at the width, carriage return, cursor up, erasing to the
/// end of the line and of the screen. It is an error to ask it for anything else.
struct Screen {
  private(set) var width: Int
  /// The characters of each row, and whether it goes on in the next.
  private var rows: [(text: [Character], isBroken: Bool)] = [([], false)]
  private var row = 0
  private var column = 0
  private(set) var unknown: [String] = []

  init(width: Int) {
    self.width = width
  }

  var lines: [String] {
    rows.map { row in
      var text = String(row.text)
      while text.last == " " { text.removeLast() }
      return text
    }
  }

  /// Breaks what stands there anew, as most terminals do. The cursor stays behind the same character.
  mutating func resize(to width: Int) {
    self.width = width
    var logical: [[Character]] = [[]]
    for row in rows {
      logical[logical.count - 1] += row.text
      if !row.isBroken { logical.append([]) }
    }
    logical.removeLast()
    rows = logical.flatMap { line -> [(text: [Character], isBroken: Bool)] in
      guard line.count > width else { return [(line, false)] }
      let starts = stride(from: 0, to: line.count, by: width)
      return starts.map { (Array(line[$0..<min($0 + width, line.count)]), $0 + width < line.count) }
    }
    row = rows.count - 1
    column = rows[row].text.count
  }

  mutating func write(_ text: String) {
    var scalars = text.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\r": column = 0
      case "\n": newline()
      case "\u{1B}": escape(&scalars)
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: unknown.append("\(scalar.value)")
      default: put(Character(scalar))
      }
    }
  }

  private mutating func put(_ character: Character) {
    if column == width {
      rows[row].isBroken = true
      newline()
    }
    while rows[row].text.count <= column { rows[row].text.append(" ") }
    rows[row].text[column] = character
    column += 1
  }

  private mutating func newline() {
    row += 1
    column = 0
    if row == rows.count { rows.append(([], false)) }
  }

  private mutating func escape(_ scalars: inout Substring.UnicodeScalarView) {
    var sequence = ""
    while let scalar = scalars.popFirst() {
      sequence.unicodeScalars.append(scalar)
      if scalar.properties.isAlphabetic { break }
    }
    switch sequence.last {
    case "A": row = max(0, row - (Int(sequence.dropFirst().dropLast()) ?? 1))
    case "K": rows[row].text.removeLast(max(0, rows[row].text.count - column))
    case "J":
      rows[row].text.removeLast(max(0, rows[row].text.count - column))
      rows[row].isBroken = false
      rows.removeLast(rows.count - row - 1)
    case "m": break
    default: unknown.append(sequence)
    }
  }
}
