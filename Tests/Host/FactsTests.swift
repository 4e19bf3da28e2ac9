import MusterHost
import Testing

@Suite struct TimeTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    (1_795_233_835_120, "2026-11-21T04:03:55.120Z"), (-2_203_891_200_001, "1900-02-28T23:59:59.999Z"),
  ])
  func writesISO8601(milliseconds: Int, text: String) {
    #expect(Timestamp(milliseconds: Int64(milliseconds)).iso8601(milliseconds: true) == text)
  }

  /// Against the system's own calendar, over some 500 years.
  @Test func agreesWithTheSystem() async throws {
    let seconds = (0..<2000).map { -4_000_000_000 + $0 * 8_123_457 }
    let input = seconds.map { "@\($0)\n" }.joined()
    let output = try await HostCommand("date", ["-u", "-f", "-", "+%Y-%m-%dT%H:%M:%SZ"], input: Array(input.utf8)).run()
    let own = seconds.map { Timestamp(milliseconds: Int64($0) * 1000).iso8601() }
    #expect(own == output.text.split(separator: "\n").map(String.init))
  }

  @Test func isShortForNamesOfFiles() {
    #expect(Timestamp(milliseconds: 1_795_233_835_120).compact == "20261121T040355Z")
    #expect(Timestamp.now.milliseconds > 1_700_000_000_000)
  }

  @Test(arguments: [
    (0, "0s"), (49, "0s"), (50, "0.1s"), (1_000, "1s"), (9_940, "9.9s"), (9_960, "10s"), (59_499, "59s"),
    (59_500, "1m"), (90_000, "1m 30s"), (3_599_499, "59m 59s"), (3_600_000, "1h"), (7_500_000, "2h 5m"),
    (86_400_000, "1d"), (273_600_000, "3d 4h"), (-5, "0s"),
  ])
  func writesDurations(milliseconds: Int, text: String) {
    #expect(Duration.milliseconds(milliseconds).human == text)
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_250, "1.2 kB"), (12_345, "12 kB"), (999_999, "999 kB"),
    (1_200_000_000, "1.2 GB"), (340_000_000, "340 MB"), (10_000_000_000_000, "10 TB"), (Int.max, "9223 PB"),
  ])
  func writesSizes(bytes: Int, text: String) {
    #expect(ByteCount(Int64(bytes)).description == text)
  }
}

@Suite struct HostFactsTests {
  @Test func agreesWithTheSystemsTools() async throws {
    #expect(try await HostCommand("uname", ["-r"]).run().text == HostFacts.kernelRelease)
    #expect(try await HostCommand("uname", ["-s"]).run().text == HostFacts.systemName)
    #expect(try await HostCommand("uname", ["-n"]).run().text == HostFacts.hostName)
    #expect(try await HostCommand("id", ["-un"]).run().text == HostFacts.userName)
    #expect(HostFacts.processorCount >= 1)
    #expect(HostFacts.memory > 100_000_000)
    #expect(try #require(HostFacts.availableMemory) <= HostFacts.memory)
  }

  @Test func findsTools() {
    #expect(HostFacts.tool("sh")?.hasSuffix("/sh") == true)
    #expect(HostFacts.tool("muster-no-such-tool") == nil)
    // A folder is no tool.
    #expect(HostFacts.tool(".") == nil)
  }
}

@Suite struct DirectoriesTests {
  @Test func followXDG() throws {
    let environment = ["HOME": "/home/u", "XDG_STATE_HOME": "/state"]
    #expect(
      try Directories { environment[$0] } == Directories(state: "/state/muster", cache: "/home/u/.cache/muster"))
  }

  @Test func aRelativeVariableIsIgnored() throws {
    let environment = ["HOME": "/home/u", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": ""]
    #expect(try Directories { environment[$0] }.state == "/home/u/.local/state/muster")
    #expect(try Directories { environment[$0] }.cache == "/home/u/.cache/muster")
  }

  @Test func whatWasAskedForCounts() throws {
    let directories = try Directories(environment: { _ in nil }, state: "/s", cache: "c")
    #expect(directories.state == "/s")
    #expect(directories.cache == Directories.absolute("c"))
    #expect(directories.cache.hasPrefix("/"))
  }

  @Test func withoutHOMETheUserDatabaseIsAsked() async throws {
    let entry = try await HostCommand("getent", ["passwd", HostFacts.userName]).run().text
    #expect(
      Directories.home { _ in nil } == entry.split(separator: ":", omittingEmptySubsequences: false)[5].description)
  }
}
