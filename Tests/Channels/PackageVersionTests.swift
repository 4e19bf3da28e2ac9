import Testing

@testable import MusterChannels

@Suite struct PackageVersionTests {
  @Test(arguments: [
    ("1.2.0", "1.2.0"), ("1.2.0-1", "1.2.0"), ("1.2.0-1", "1.2.0-1"), ("1:1.2.0-1.fc44", "1.2.0"),
    ("1:1.2.0-1.fc44", "1.2.0-1.fc44"), ("1:1.2.0-1.fc44", "1:1.2.0"), ("1.2.0-r0", "1.2.0"),
    ("1.2.0-rc1-2", "1.2.0-rc1"), ("2:1.0", "1.0"),
  ])
  func same(installed: String, wanted: String) {
    #expect(PackageVersion.matches(installed: installed, wanted: wanted))
  }

  @Test(arguments: [
    ("1.2.0", "1.2"), ("1.20.0-1", "1.2"), ("1.2.0-1", "1.2.0-2"), ("1.2.0-10", "1.2.0-1"), ("1.2.0", ""),
    ("2:1.0", "1:1.0"), ("1.2.0-rc1-2", "1.2.0"),
  ])
  func different(installed: String, wanted: String) {
    #expect(!PackageVersion.matches(installed: installed, wanted: wanted))
  }
}
