/// Durations: numbers with units, from the larger to the smaller, each at most once: `90s`, `5m`, `1h30m`, `500ms`, `1.5h`.
enum TimeSpan {
  /// No deadline is longer: a year.
  static let limit: Int64 = 365 * 86_400_000

  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  static func parse(_ text: String) throws(ValueProblem) -> Duration {
    let bytes = Array(text.utf8)
    var index = 0
    var total: Int64 = 0
    /// The largest unit that may come next.
    var next = 0
    if bytes.isEmpty { throw problem(text) }
    while index < bytes.count {
      let number = bytes[index...].prefix(while: Decimal.isPart)
      let unit = bytes[number.endIndex...].prefix(while: PlainValues.isLetter)
      index = unit.endIndex
      guard let decimal = Decimal(number) else {
        throw number.isEmpty || number.contains(UInt8(ascii: ".")) ? problem(text) : tooLong(text)
      }
      if unit.isEmpty {
        throw number.count == bytes.count && text != "0"
          ? ValueProblem("\(quoted(text)) is a duration without a unit", hint: "write \(text)s or \(text)m")
          : problem(text)
      }
      guard let place = units.firstIndex(where: { $0.name.utf8.elementsEqual(unit) }) else { throw problem(text) }
      guard place >= next else {
        throw ValueProblem(
          "\(quoted(text)) is not a duration", hint: "write each unit once, the larger first, as in 1h30m")
      }
      guard let part = decimal.scaled(by: units[place].milliseconds), part <= limit, total + part <= limit else {
        throw tooLong(text)
      }
      total += part
      next = place + 1
    }
    return .milliseconds(total)
  }

  /// A duration as a person writes it: `1h30m`, `500ms`; whole milliseconds only.
  static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    var rest = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    if rest == 0 { return "0s" }
    var text = ""
    for unit in units where rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.name)"
      rest %= unit.milliseconds
    }
    return text
  }

  private static func problem(_ text: String) -> ValueProblem {
    ValueProblem(
      "\(quoted(text)) is not a duration", hint: "write a number and a unit (ms, s, m, h, d), such as 90s or 1h30m")
  }

  private static func tooLong(_ text: String) -> ValueProblem {
    ValueProblem("\(quoted(text)) is too long a duration", hint: "a year is the most")
  }
}
