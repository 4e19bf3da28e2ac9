/// Sizes in bytes: a number, a unit, and nothing else. Units are powers of 1024, as virtual machine tools count them:
/// `K`, `M`, `G`, `T`, each also as `KiB`, `MiB`, …; small letters too, and `B` for bytes.
package enum Size {
  package static func parse(_ text: String) throws(ValueProblem) -> Int64 {
    let bytes = Array(text.utf8)
    let end = bytes.firstIndex { !Decimal.isPart($0) } ?? bytes.count
    let number = String(decoding: bytes[..<end], as: UTF8.self)
    let unit = String(decoding: bytes[end...], as: UTF8.self)
    guard let decimal = Decimal(bytes[..<end]) else {
      if end > 0, bytes[..<end].allSatisfy(PlainValues.isDigit) { throw tooLarge(text) }
      throw ValueProblem("\(quoted(text)) is not a size", hint: "write a number and a unit, such as 512M or 1.5G")
    }
    guard let shift = try shift(of: unit, after: number, in: text) else {
      throw ValueProblem("\(quoted(text)) is not a size", hint: "the units are K, M, G and T, as in 512M or 2GiB")
    }
    guard let size = decimal.scaled(by: 1 << shift) else {
      throw tooLarge(text)
    }
    return size
  }

  private static func tooLarge(_ text: String) -> ValueProblem {
    ValueProblem("\(quoted(text)) is too large a size")
  }

  /// A size as a person writes it, in the largest unit that leaves a whole number: `512M`, `2G`.
  package static func text(_ bytes: Int64) -> String {
    for (unit, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] as [(String, Int64)]
    where bytes != 0 && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)B"
  }

  private static func shift(
    of unit: String, after number: String, in text: String
  ) throws(ValueProblem) -> Int64? {
    switch unit.lowercased() {
    case "b": return 0
    case "k", "kib": return 10
    case "m", "mib": return 20
    case "g", "gib": return 30
    case "t", "tib": return 40
    case "ki", "mi", "gi", "ti":
      let letter = unit.prefix(1).uppercased()
      throw ValueProblem("\(quoted(text)) is not a size", hint: "write \(number)\(letter)iB, or \(number)\(letter)")
    case "kb", "mb", "gb", "tb":
      let letter = unit.prefix(1).uppercased()
      throw ValueProblem(
        "\(quoted(text)) could mean powers of 1000 or of 1024",
        hint: "write \(number)\(letter), which counts in powers of 1024")
    case "":
      throw ValueProblem(
        "\(quoted(text)) is a size without a unit", hint: "write \(number)M or \(number)G")
    default: return nil
    }
  }
}

/// A decimal number without sign or exponent, exact: `1.5` is 15 tenths.
struct Decimal {
  var digits: Int64
  var denominator: Int64

  /// `nil` when the text is no number, or has more digits than can be kept.
  init?(_ text: ArraySlice<UInt8>) {
    var digits: Int64 = 0
    var denominator: Int64 = 1
    var seen = 0
    var point = false
    for byte in text {
      if byte == UInt8(ascii: "."), !point, seen > 0 {
        point = true
        seen = 0
        continue
      }
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      let (tens, over) = digits.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(byte - 0x30))
      if over || carry { return nil }
      digits = sum
      if point {
        if denominator >= 1_000_000_000 { return nil }
        denominator *= 10
      }
      seen += 1
    }
    guard seen > 0 else { return nil }
    self.digits = digits
    self.denominator = denominator
  }

  /// Whether a byte is a digit or the point.
  static func isPart(_ byte: UInt8) -> Bool { (byte >= 0x30 && byte <= 0x39) || byte == UInt8(ascii: ".") }

  /// The number times `factor`, the fraction cut off; `nil` when it overflows.
  func scaled(by factor: Int64) -> Int64? {
    let (product, over) = digits.multipliedReportingOverflow(by: factor)
    if !over { return product / denominator }
    let (whole, overflow) = (digits / denominator).multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    let (rest, overrest) = (digits % denominator).multipliedReportingOverflow(by: factor)
    guard !overrest else { return nil }
    let (sum, carry) = whole.addingReportingOverflow(rest / denominator)
    return carry ? nil : sum
  }
}
