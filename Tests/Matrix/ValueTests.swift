import Testing

@testable import MusterMatrix

struct SizeTests {
  @Test(
    arguments: [
      ("512M", 512 << 20), ("2G", 2 << 30), ("1.5GiB", 3 << 29), ("1T", 1 << 40), ("4k", 4096), ("10MiB", 10 << 20),
      ("0.5G", 1 << 29), ("100B", 100), ("1.25K", 1280), ("8388607T", 8_388_607 << 40), ("007M", 7 << 20),
    ] as [(String, Int64)])
  func reads(_ text: String, _ bytes: Int64) throws {
    #expect(try Size.parse(text) == bytes)
  }

  @Test(
    arguments: [
      ("2048", "'2048' is a size without a unit", "write 2048M or 2048G"),
      ("2GB", "'2GB' could mean powers of 1000 or of 1024", "write 2G, which counts in powers of 1024"),
      ("2X", "'2X' is not a size", "the units are K, M, G and T, as in 512M or 2GiB"),
      ("G", "'G' is not a size", "write a number and a unit, such as 512M or 1.5G"),
      ("", "'' is not a size", "write a number and a unit, such as 512M or 1.5G"),
      ("-1G", "'-1G' is not a size", "write a number and a unit, such as 512M or 1.5G"),
      ("1e3", "'1e3' is not a size", "the units are K, M, G and T, as in 512M or 2GiB"),
      ("1 G", "'1 G' is not a size", "the units are K, M, G and T, as in 512M or 2GiB"),
      ("1..5G", "'1..5G' is not a size", "write a number and a unit, such as 512M or 1.5G"),
      (".5G", "'.5G' is not a size", "write a number and a unit, such as 512M or 1.5G"),
      ("8388608T", "'8388608T' is too large a size", nil),
      ("99999999999999999999G", "'99999999999999999999G' is too large a size", nil),
      ("2Gi", "'2Gi' is not a size", "write 2GiB, or 2G"),
    ] as [(String, String, String?)])
  func refuses(_ text: String, _ message: String, _ hint: String?) {
    #expect(throws: ValueProblem(message, hint: hint)) { try Size.parse(text) }
  }

  @Test(arguments: ["512M", "2G", "1536M", "1T", "3B", "1025B", "1025K"])
  func writesWhatItReads(_ text: String) throws {
    #expect(Size.text(try Size.parse(text)) == text)
  }
}

struct TimeSpanTests {
  @Test(
    arguments: [
      ("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("500ms", 500), ("1.5h", 5_400_000), ("2d", 172_800_000),
      ("1m0s", 60_000), ("1h1m1s1ms", 3_661_001), ("0s", 0), ("365d", 31_536_000_000), ("0.5s", 500),
    ] as [(String, Int)])
  func reads(_ text: String, _ milliseconds: Int) throws {
    #expect(try TimeSpan.parse(text) == .milliseconds(milliseconds))
  }

  static let shape = "write a number and a unit (ms, s, m, h, d), such as 90s or 1h30m"

  @Test(
    arguments: [
      ("90", "'90' is a duration without a unit", "write 90s or 90m"),
      ("", "'' is not a duration", shape), ("soon", "'soon' is not a duration", shape),
      ("5 m", "'5 m' is not a duration", shape), ("5min", "'5min' is not a duration", shape),
      ("-5s", "'-5s' is not a duration", shape), ("1h30", "'1h30' is not a duration", shape),
      ("30m1h", "'30m1h' is not a duration", "write each unit once, the larger first, as in 1h30m"),
      ("1s1s", "'1s1s' is not a duration", "write each unit once, the larger first, as in 1h30m"),
      ("366d", "'366d' is too long a duration", "a year is the most"),
      ("99999999999999999999s", "'99999999999999999999s' is too long a duration", "a year is the most"),
      ("9223372036854775807d", "'9223372036854775807d' is too long a duration", "a year is the most"),
      ("364d99999h", "'364d99999h' is too long a duration", "a year is the most"),
    ] as [(String, String, String?)])
  func refuses(_ text: String, _ message: String, _ hint: String?) {
    #expect(throws: ValueProblem(message, hint: hint)) { try TimeSpan.parse(text) }
  }

  @Test(arguments: ["90s", "1h30m", "500ms", "2d", "0s", "1m1s1ms"])
  func writesTheSameTime(_ text: String) throws {
    let duration = try TimeSpan.parse(text)
    #expect(try TimeSpan.parse(TimeSpan.text(duration)) == duration)
  }
}

struct PlainValueTests {
  @Test(
    arguments: [("0755", 0o755), ("755", 0o755), ("0o644", 0o644), ("4755", 0o4755), ("04755", 0o4755)]
      as [(String, UInt16)])
  func readsModes(_ text: String, _ mode: UInt16) throws {
    #expect(try PlainValues.mode(text) == mode)
  }

  @Test(arguments: ["0788", "u+x", "7", "", "77777", "0x1ff", "493.", "1e3"])
  func refusesModes(_ text: String) {
    #expect(throws: ValueProblem.self) { try PlainValues.mode(text) }
  }

  @Test(
    arguments: [
      ("true", true), ("yes", true), ("on", true), ("True", true), ("NO", false), ("off", false), ("false", false),
    ] as [(String, Bool)])
  func readsTruth(_ text: String, _ value: Bool) throws {
    #expect(try PlainValues.bool(text) == value)
  }

  @Test(arguments: ["1", "0", "y", "n", "", "maybe"])
  func refusesTruth(_ text: String) {
    #expect(throws: ValueProblem.self) { try PlainValues.bool(text) }
  }

  @Test func refusesIntegersThatAreNone() {
    for text in ["1e3", "0x10", "1.0", "", "-", "1_000", "٣", "99999999999999999999"] {
      #expect(throws: ValueProblem.self) { try PlainValues.integer(text) }
    }
  }
}
