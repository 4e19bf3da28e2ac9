import MusterMachines
import Testing

@Suite struct MachineNameTests {
  @Test func itTellsTheTestAndEndsWithTheRandomPart() throws {
    let name = MachineName(test: "AppImage: starts!", seconds: 1_763_698_000, processID: 4711)
    let pattern = /muster-appimage-starts-1763698000-4711-[0-9a-f]{6}/
    #expect(try pattern.wholeMatch(in: name.text) != nil, "\(name)")
  }

  @Test(arguments: ["", "…", "---", "Ärger"])
  func whateverATestIsCalled(test: String) {
    let name = MachineName(test: test, seconds: 1, processID: 2)
    #expect(name.text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") })
    #expect(!name.text.contains("--"))
  }

  @Test(arguments: [30, 40, 63])
  func itIsCutInTheMiddle(limit: Int) throws {
    let test = String(repeating: "long-name-", count: 10)
    let name = MachineName(test: test, seconds: 1_763_698_000, processID: 99999, limit: limit)
    #expect(name.text.count <= max(limit, "muster-1763698000-99999-abcdef".count))
    #expect(try /muster.*-1763698000-99999-[0-9a-f]{6}/.wholeMatch(in: name.text) != nil)
  }

  /// However many are made at once.
  @Test func twoAreNeverTheSame() async {
    let names = await withTaskGroup(of: [MachineName].self) { group in
      for _ in 0..<8 {
        group.addTask { (0..<1000).map { _ in MachineName(test: "x", seconds: 1, processID: 2) } }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(names).count == 8000)
  }
}
