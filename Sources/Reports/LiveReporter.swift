import MusterExecution
import MusterHost

/// A run on a terminal: what has happened scrolls by, and the last line says what is being done, drawn again in place.
/// The cursor is never hidden, so that nothing has to be restored when the process dies.
struct LiveReporter: Sendable {
  /// Seconds between two drawings, at least.
  static let pause = 0.1

  /// The terminal's columns just now: to be set before each call.
  var width = 80

  private var lines: PlainReporter
  private let paint: Paint
  private var position = Position()
  /// The live line as it stands on the terminal, and when it was drawn.
  private var drawn = ""
  private var drawnAt = -1.0

  init(lines: PlainReporter, paint: Paint) {
    self.lines = lines
    self.paint = paint
  }

  /// - Parameter cell: What the cell came to that this event ends.
  mutating func receive(_ event: Event, finished cell: CellSummary?) -> [ConsoleOutput] {
    let written = lines.receive(event, finished: cell)
    position.add(event)
    if !written.isEmpty { return erase() + written + draw(elapsed: event.elapsed) }
    return event.elapsed - drawnAt >= Self.pause ? redraw(elapsed: event.elapsed) : []
  }

  /// Draws what has changed, the time at least.
  mutating func tick(elapsed: Double) -> [ConsoleOutput] {
    elapsed - drawnAt >= Self.pause ? redraw(elapsed: elapsed) : []
  }

  mutating func end(_ summary: Summary, reports: [String]) -> [ConsoleOutput] {
    erase() + lines.end(summary, reports: reports)
  }

  /// Takes the live line away, for whatever else must be written.
  mutating func erase() -> [ConsoleOutput] {
    guard !drawn.isEmpty else { return [] }
    defer { drawn = "" }
    // A terminal that has become narrower has broken the line into several.
    let rows = (DisplayWidth.of(drawn) - 1) / max(width, 1)
    let up = rows > 0 ? "\u{1B}[\(rows)A" : ""
    return [ConsoleOutput(.error, "\r\(up)\u{1B}[J")]
  }

  private mutating func redraw(elapsed: Double) -> [ConsoleOutput] {
    let line = line(elapsed: elapsed)
    if line == drawn, DisplayWidth.of(drawn) <= width { return [] }
    // What does not fit any more is taken away first; otherwise writing over it flickers less.
    guard !line.isEmpty, !drawn.isEmpty, DisplayWidth.of(drawn) <= width else {
      return erase() + draw(elapsed: elapsed)
    }
    drawn = line
    drawnAt = elapsed
    return [ConsoleOutput(.error, "\r\(colored(line))\u{1B}[K")]
  }

  private mutating func draw(elapsed: Double) -> [ConsoleOutput] {
    drawn = line(elapsed: elapsed)
    drawnAt = elapsed
    return drawn.isEmpty ? [] : [ConsoleOutput(.error, colored(drawn))]
  }

  private func colored(_ line: String) -> String { paint(line, .cyan) }

  /// `[3/24] 1m 12s  apt@debian-12 · verify · greeter --version`; empty where nothing is being done. One column stays
  /// free, in which terminals keep the cursor.
  private func line(elapsed: Double) -> String {
    let doing = ([position.cell].compactMap { $0 } + position.doing).joined(separator: " · ")
    guard position.isRunning, !doing.isEmpty else { return "" }
    let since = position.cell == nil ? position.since : position.cellSince
    let time = Int(max(0, elapsed - since))
    let place = position.total > 0 ? "[\(min(position.finished + 1, position.total))/\(position.total)] " : ""
    return DisplayWidth.trim(place + "\(human(Double(time)))  " + VisibleText.line(doing), to: max(width - 1, 0))
  }
}
