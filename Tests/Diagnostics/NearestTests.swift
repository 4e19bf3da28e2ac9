import MusterDiagnostics
import Testing

@Suite struct NearestTests {
  private static let keys = ["distros", "tests", "timeouts", "env", "expect-failure", "not-contains", "cpus", "setup"]

  @Test(arguments: [
    ("distors", "distros"), ("distro", "distros"), ("Distros", "distros"), ("test", "tests"), ("timeout", "timeouts"),
    ("cpu", "cpus"), ("evn", "env"), ("expect_failure", "expect-failure"), ("expectFailure", "expect-failure"),
    ("not_contians", "not-contains"),
  ])
  func `finds what was meant`(word: String, key: String) {
    #expect(nearest(to: word, in: Self.keys) == key)
  }

  @Test(arguments: ["", "x", "if", "image", "memory", "provision", "st", "toasts and setups"])
  func `does not guess`(word: String) {
    #expect(nearest(to: word, in: Self.keys) == nil)
  }

  @Test func `takes the nearest, and among equals the first`() {
    #expect(nearest(to: "debian-12", in: ["debian-1", "debian-13", "debian-21", "debian-12"]) == "debian-12")
    #expect(nearest(to: "debian-14", in: ["debian-12", "debian-13"]) == "debian-12")
    #expect(nearest(to: "stdot", in: ["stderr", "stdout"]) == "stdout")
  }

  @Test func `is not slowed by a very long word`() {
    #expect(nearest(to: String(repeating: "x", count: 1_000_000), in: Self.keys) == nil)
  }
}
