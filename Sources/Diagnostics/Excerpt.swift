/// The line of a file that a span starts in, as it is shown: printable, without tabs, cut to a width, and with the
/// columns to underline.
struct Excerpt: Equatable {
  var text: String
  /// Columns of `text` to the left of the underlined ones.
  var indent: Int
  /// How many columns are underlined; at least 1.
  var length: Int

  /// A piece of a line that is shown or cut as a whole.
  private struct Cell {
    var text: String
    var width: Int
  }

  /// Columns that stay visible on the left of the caret when a long line is cut there.
  private static let context = 40

  /// - Parameters:
  ///   - line: The line without its line break.
  ///   - start: The first column, from 1, in Unicode scalars.
  ///   - end: The column behind the last, or `nil` for the end of the line.
  ///   - width: How many columns there are.
  init(line: ArraySlice<UInt8>, start: Int, end: Int?, width: Int) {
    // Only what can be seen is decoded: a hostile line may have millions of characters.
    let reach = 4 * width
    let first = max(0, start - 1 - reach)
    let bytes = Self.scalars(first..<(start - 1 + reach), of: line)
    let underlined = (start - 1 - first)..<max(start - first, (end ?? Int.max / 2) - 1 - first)

    var cells: [Cell] = []
    var scalar = 0
    var column = 0
    var caret: Range<Int>?
    for character in String(decoding: bytes, as: UTF8.self) {
      let count = character.unicodeScalars.count
      if underlined.overlaps(scalar..<(scalar + count)) {
        caret = (caret?.lowerBound ?? cells.count)..<(cells.count + 1)
      }
      let cell = Self.cell(for: character, column: column)
      cells.append(cell)
      column += cell.width
      scalar += count
    }
    // The place behind the last character of the line.
    let marked = caret ?? cells.count..<(cells.count + 1)
    let view = Self.view(of: cells, around: marked, width: width, isWhole: first == 0)

    let cutsLeft = first > 0 || view.lowerBound > 0
    let cutsRight = view.upperBound < cells.count || bytes.endIndex < line.endIndex
    text =
      (cutsLeft ? "…" : "") + cells[view].map(\.text).joined()
      + (cutsRight ? "…" : "")
    indent = (cutsLeft ? 1 : 0) + Self.width(of: cells[view.lowerBound..<max(view.lowerBound, marked.lowerBound)])
    let visible = marked.clamped(to: view)
    length = max(1, visible.isEmpty ? 1 : Self.width(of: cells[visible]))
  }

  /// The bytes of a range of a line's Unicode scalars, as far as the line has them.
  private static func scalars(_ range: Range<Int>, of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var scalar = -1
    var start = line.endIndex
    for index in line.indices where line[index] & 0xC0 != 0x80 || index == line.startIndex {
      scalar += 1
      if scalar == range.lowerBound { start = index }
      if scalar == range.upperBound { return line[start..<index] }
    }
    return line[start...]
  }

  private static func cell(for character: Character, column: Int) -> Cell {
    if character == "\t" {
      let width = 4 - column % 4
      return Cell(text: String(repeating: " ", count: width), width: width)
    }
    let text = harmless(String(character))
    // A combining mark without anything before it is given something to stand on.
    let width = text.reduce(0) { $0 + displayWidth(of: $1) }
    return width == 0 ? Cell(text: "◌" + text, width: 1) : Cell(text: text, width: width)
  }

  private static func width(of cells: ArraySlice<Cell>) -> Int {
    cells.reduce(0) { $0 + $1.width }
  }

  /// The cells to show: all of them if they fit, or else those around the marked ones, with room for a `…` at each end.
  private static func view(of cells: [Cell], around marked: Range<Int>, width: Int, isWhole: Bool) -> Range<Int> {
    if isWhole, self.width(of: cells[...]) <= width { return cells.indices }
    let room = max(1, width - 2)
    let caret = min(marked.lowerBound, cells.count)
    var lower = 0
    // The start of the line stays in sight if the underlined text, or its beginning, does so too.
    let toCaret = self.width(of: cells[..<caret])
    let marks = min(self.width(of: cells[marked.clamped(to: cells.indices)]), room - min(context, room / 2))
    if !isWhole || toCaret + marks > room {
      lower = caret
      var left = min(context, room / 2)
      while lower > 0, cells[lower - 1].width <= left {
        lower -= 1
        left -= cells[lower].width
      }
    }
    var upper = lower
    var left = room
    while upper < cells.count, cells[upper].width <= left {
      left -= cells[upper].width
      upper += 1
    }
    return lower..<upper
  }
}
