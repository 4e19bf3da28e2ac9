#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A moment by the wall clock.
package struct Timestamp: Sendable, Hashable, Comparable {
  /// Milliseconds since 1970-01-01T00:00:00Z.
  package var milliseconds: Int64

  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  package static var now: Timestamp { Timestamp(milliseconds: nanoseconds / 1_000_000) }

  /// Nanoseconds since 1970-01-01T00:00:00Z, now.
  package static var nanoseconds: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  package static func < (one: Timestamp, other: Timestamp) -> Bool { one.milliseconds < other.milliseconds }

  /// ISO 8601 in UTC: `2026-11-21T04:03:55Z`, or with milliseconds `2026-11-21T04:03:55.120Z`.
  package func iso8601(milliseconds wanted: Bool = false) -> String {
    let (seconds, rest) = Self.floorDivide(milliseconds, 1000)
    let (days, second) = Self.floorDivide(seconds, 86400)
    let date = Self.date(day: days)
    let time = "\(Self.pad(second / 3600)):\(Self.pad(second / 60 % 60)):\(Self.pad(second % 60))"
    let fraction = wanted ? ".\(Self.pad(rest, to: 3))" : ""
    return "\(Self.pad(date.year, to: 4))-\(Self.pad(date.month))-\(Self.pad(date.day))T\(time)\(fraction)Z"
  }

  /// For names of files: `20261121T040355Z`.
  package var compact: String {
    iso8601().filter { $0 != "-" && $0 != ":" }
  }

  /// The Gregorian date of a day counted from 1970-01-01.
  ///
  /// Years are counted from March, so that the day a leap year adds is its last; 400 years have 146097 days.
  private static func date(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(day + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private static func floorDivide(_ number: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  private static func pad(_ number: Int64, to width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// Time that passes, whatever is done to the wall clock.
package struct Stopwatch: Sendable {
  private let start = ContinuousClock.now

  package init() {}

  package var elapsed: Duration { ContinuousClock.now - start }
}

extension Duration {
  /// Seconds, fractions too.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }

  /// Whole milliseconds, rounded down.
  package var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }

  /// For people, by what is worth reading: `0.2s`, `14s`, `1m 30s`, `2h 5m`, `3d 4h`.
  package var human: String {
    let tenths = (max(milliseconds, 0) + 50) / 100
    if tenths < 100 { return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s" }
    let seconds = (max(milliseconds, 0) + 500) / 1000
    func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
      small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit) \(small)\(smallUnit)"
    }
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return pair(seconds / 60, "m", seconds % 60, "s")
    case ..<86400: return pair(seconds / 3600, "h", seconds / 60 % 60, "m")
    default: return pair(seconds / 86400, "d", seconds / 3600 % 24, "h")
    }
  }
}

/// A number of bytes for people, in powers of 1000: `812 B`, `1.2 GB`, `340 MB`.
package struct ByteCount: Sendable, Hashable, CustomStringConvertible {
  package var bytes: Int64

  package init(_ bytes: Int64) {
    self.bytes = bytes
  }

  package var description: String {
    if bytes < 1000 { return "\(bytes) B" }
    var unit: Int64 = 1000
    for name in ["kB", "MB", "GB", "TB", "PB"] {
      let tenths = bytes / (unit / 10)
      // One digit behind the point while there is one before it.
      if tenths < 100 { return tenths % 10 == 0 ? "\(tenths / 10) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)" }
      if tenths < 10_000 { return "\(tenths / 10) \(name)" }
      unit *= 1000
    }
    return "\(bytes / 1_000_000_000_000_000) PB"
  }
}
