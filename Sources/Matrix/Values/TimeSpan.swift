/// Durations: numbers with units, from the larger to the smaller, each at most once: `90s`, `5m`, `1h30m`, `500ms`, `1.5h`.
enum TimeSpan {
  /// No deadline is longer: a year.
  static let limit: Int64 = 365 * 86_400_000

  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  static func parse(_ text: String) throws(ValueProblem) -> Duration {
    var rest = text[...]
    var total: Int64 = 0
    var next = 0
    if text.isEmpty || text == "0" {
      throw problem(text)
    }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      let unit = rest[number.endIndex...].prefix { $0.isASCII && $0.isLetter }
      guard let decimal = Decimal(number) else {
        if number.utf8.allSatisfy({ $0 != UInt8(ascii: ".") }), !number.isEmpty { throw tooLong(text) }
        throw problem(text)
      }
      if unit.isEmpty {
        throw next == 0 && number.endIndex == text.endIndex
          ? ValueProblem("\(quoted(text)) is a duration without a unit", hint: "write \(number)s or \(number)m")
          : problem(text)
      }
      guard let index = units[next...].firstIndex(where: { $0.name == unit }) else {
        throw units.contains { $0.name == unit }
          ? ValueProblem(
            "\(quoted(text)) is not a duration", hint: "write each unit once, the larger first, as in 1h30m")
          : problem(text)
      }
      guard let part = decimal.scaled(by: units[index].milliseconds), part <= limit, total + part <= limit else {
        throw tooLong(text)
      }
      total += part
      next = index + 1
      rest = rest[unit.endIndex...]
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
