import Testing

@testable import MusterExecution

@Suite struct SlugTests {
  @Test(arguments: [
    ("appimage@debian-12", "appimage-debian-12"),
    ("sizes[memory=512M,locale=C]@arch", "sizes-memory-512m-locale-c-arch"),
    ("../../etc", "etc"), ("Größe", "gr-e"), ("…", "unnamed"), ("v1.2.", "v1.2"),
  ])
  func slugs(text: String, slug: String) {
    #expect(Slug.make(text) == slug)
  }

  @Test func uniqueness() {
    #expect(Slug.unique(["a b", "a-b", "a b-2", "a_b"]) == ["a-b", "a-b-2", "a-b-2-2", "a-b-3"])
    let many = Slug.unique(Array(repeating: String(repeating: "x", count: 100), count: 1000))
    #expect(Set(many).count == 1000)
  }
}
