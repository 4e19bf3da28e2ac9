import Foundation
import MusterCatalog
import MusterHost
import MusterMatrix
import Testing

@testable import MusterChannels

/// The scripts that look at an AppImage, run by this host's own `sh` on what the tests write.
@Suite struct AppImageTests {
  /// The least that has what is looked at: the head of an ELF file whose table of sections ends at 128, and behind it a
  /// squashfs that says it has 256 bytes.
  private static func appImage(
    mark: [UInt8] = Array("AI\u{2}".utf8), machine: UInt8 = own, class bits: UInt8 = 2, loader: String = "",
    length: Int = 384
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 384)
    func put(_ new: [UInt8], at place: Int) { bytes.replaceSubrange(place..<place + new.count, with: new) }
    put([0x7F] + Array("ELF".utf8) + [bits, 1, 1, 0] + mark, at: 0)
    bytes[18] = machine
    bytes[bits == 1 ? 32 : 40] = 64  // the table's place
    bytes[bits == 1 ? 46 : 58] = 32  // the size of an entry
    bytes[bits == 1 ? 48 : 60] = 2  // how many there are
    put(Array(loader.utf8), at: 64)
    put(Array("hsqs".utf8), at: 128)
    bytes[128 + 41] = 1
    return Array(bytes.prefix(length))
  }

  private static let own: UInt8 = CPU.host == .arm64 ? 0xB7 : 0x3E

  private func answer(
    _ check: ChannelStep.Check, _ run: ChannelStep.AppImage.Run = .mounted, version: MaskedText? = nil,
    in folder: String, changed change: (String) -> String = { $0 }
  ) async throws -> [String: String] {
    let image = ChannelStep.AppImage(place: .file("/x/G.AppImage"), command: "g", run: run)
    let step = ChannelStep(channel: .appimage, source: .appImage(image), packages: [], version: version)
    let script = step.script(for: .check(check), number: 1, family: .debian)
    let output = try await HostCommand(
      "/bin/sh", ["-e", "-c", change(script.script.replacing("/opt/muster-1", with: folder))],
      environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    ).run()
    #expect(output.ending == .exited(0), "\(output.errorText)")
    let answers = CheckAnswers(output.text)
    var all: [String: String] = ["evidence": output.errorText]
    for fact in script.facts {
      let actual = answers[fact] ?? ""
      all[fact.name] = fact.holds(actual, reveal: \.description) ? "as expected" : actual
    }
    return all
  }

  private func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "muster-appimage-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
  }

  private func format(_ bytes: [UInt8], _ run: ChannelStep.AppImage.Run = .mounted) async throws -> [String: String] {
    try await withFolder { folder in
      try Data(bytes).write(to: URL(filePath: "\(folder)/G.AppImage"))
      return try await answer(.format, run, in: folder)
    }
  }

  @Test func whole() async throws {
    #expect(try await format(Self.appImage())["format"] == "as expected")
    #expect(try await format(Self.appImage(class: 1))["format"] == "as expected")
    #expect(try await format(Self.appImage(loader: "/lib/ld-linux-none.so.2\0"))["format"] != "as expected")
  }

  @Test func broken() async throws {
    #expect(
      try await format(Self.appImage(length: 300))["format"] == "an AppImage that is cut off: 300 of 384 bytes")
    #expect(
      try await format(Self.appImage(length: 128))["format"]
        == "an AppImage that is cut off within its runtime: 128 bytes")
    #expect(
      try await format(Self.appImage(mark: [0, 0, 0]))["format"]
        == "a program without the mark of an AppImage, 'AI' and its type at its 8th byte")
    let page = try await format(Array("<!DOCTYPE html>\n<title>404</title>".utf8))
    #expect(page["format"] == "no program")
    #expect(
      page["evidence"]
        == """
        it begins with: <!DOCTYPE html><title>404</title>
        to mend it: publish the file itself, not a page or a pointer to it
        """
    )
    #expect(try await format([])["format"] == "no program")
  }

  @Test func otherMachines() async throws {
    let other = CPU.host == .arm64 ? (UInt8(0x3E), "x86_64", "aarch64") : (UInt8(0xB7), "aarch64", "x86_64")
    #expect(
      try await format(Self.appImage(machine: other.0))["format"]
        == "an AppImage for \(other.1), and this machine is \(other.2)")
    #expect(
      try await format(Self.appImage(loader: "/lib/ld-linux-none.so.2\0"))["format"]
        == "an AppImage whose runtime needs /lib/ld-linux-none.so.2, which this machine does not have")
  }

  @Test func type1() async throws {
    let old = Self.appImage(mark: Array("AI\u{1}".utf8))
    #expect(try await format(old)["format"] == "as expected")
    #expect(
      try await format(old, .extractAndRun)["format"] == "an AppImage of type 1, which does not extract and run itself")
  }

  /// The files of an AppImage, as they are when it has unpacked itself.
  private func tree(_ folder: String, _ entry: String) throws -> String {
    let tree = "\(folder)/squashfs-root"
    try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
    try entry.write(toFile: "\(tree)/g.desktop", atomically: false, encoding: .utf8)
    try "".write(toFile: "\(tree)/g.svg", atomically: false, encoding: .utf8)
    try FileManager.default.copyItem(
      atPath: URL(filePath: "/bin/sh").resolvingSymlinksInPath().path, toPath: "\(tree)/AppRun")
    return tree
  }

  private static let entry = "[Desktop Entry]\nType=Application\nName=G\nExec=g\nIcon=g\nCategories=Utility;\n"

  @Test func desktop() async throws {
    try await withFolder { folder in
      let tree = try tree(folder, Self.entry)
      func now() async throws -> String? { try await answer(.desktop, in: folder)["desktop"] }
      #expect(try await now() == "as expected")
      try FileManager.default.removeItem(atPath: "\(tree)/g.svg")
      #expect(try await now() == "the icon 'g' of g.desktop is not at its top, as g.svg, .png or .xpm")
      try "[Desktop Entry]\nType=Application\nName=G\n".write(
        toFile: "\(tree)/g.desktop", atomically: false, encoding: .utf8)
      #expect(try await now() == "g.desktop has no 'Exec='")
      try "".write(toFile: "\(tree)/h.desktop", atomically: false, encoding: .utf8)
      #expect(try await now() == "there are several .desktop files at its top: g.desktop h.desktop")
      for name in ["g", "h"] { try FileManager.default.removeItem(atPath: "\(tree)/\(name).desktop") }
      #expect(try await now() == "there is no .desktop file at its top")
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(tree)/AppRun")
      #expect(try await now() == "its AppRun is not executable")
      #expect(
        try await answer(.start, .extracted, in: folder)["start"] == "there is no AppRun that can be executed")
      try FileManager.default.removeItem(atPath: "\(tree)/AppRun")
      #expect(try await now() == "there is no AppRun at its top")
    }
  }

  @Test func versions() async throws {
    try await withFolder { folder in
      _ = try tree(folder, Self.entry + "X-AppImage-Version=1.2.0\n")
      #expect(try await answer(.version, version: "1.2.0", in: folder)["version"] == "as expected")
      #expect(try await answer(.version, version: "1.2.1", in: folder)["version"] == "1.2.0")
    }
    try await withFolder { folder in
      _ = try tree(folder, Self.entry)
      #expect(
        try await answer(.version, version: "1.2.0", in: folder)["version"]
          == "not told: its desktop entry has no X-AppImage-Version")
    }
  }

  /// What a plain start says on a machine without FUSE.
  @Test(arguments: [
    ("echo 'AppImages require FUSE to run.'; exit 127", "as expected"), ("exit 0", "as expected"),
    ("exit 3", "exit status 3 without FUSE, and no word of it"),
    ("kill -s SEGV $$", "killed by signal 11 without FUSE"),
  ])
  func withoutFUSE(script: String, expected: String) async throws {
    try await withFolder { folder in
      try "#!/bin/sh\n\(script)\n".write(toFile: "\(folder)/G.AppImage", atomically: false, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/G.AppImage")
      #expect(try await answer(.start, .extractAndRun, in: folder)["start"] == expected)
    }
  }

  /// Alpine's machines have no loader of glibc, and do not need one where nothing names it.
  @Test func musl() async throws {
    try await withFolder { folder in
      let tree = try tree(folder, Self.entry)
      let loader: (String) -> String = { $0.replacing(/loader=.*/, with: "loader=/lib/ld-musl-x86_64.so.1") }
      try Data([0x7F] + "ELF and GLIBC_2.34, GLIBC_2.9\0".utf8).write(to: URL(filePath: "\(tree)/AppRun"))
      #expect(
        try await answer(.glibc, in: folder, changed: loader)["glibc"]
          == "GLIBC_2.34 is needed, and this machine has musl in place of glibc")
      try Data([0x7F] + "ELF and nothing\0".utf8).write(to: URL(filePath: "\(tree)/AppRun"))
      #expect(try await answer(.glibc, in: folder, changed: loader)["glibc"] == "as expected")
    }
  }

  #if os(Linux)
    @Test func librariesAndTheCLibrary() async throws {
      try await withFolder { folder in
        let tree = try tree(folder, Self.entry)
        #expect(try await answer(.libraries, in: folder)["libraries"] == "as expected")
        #expect(try await answer(.glibc, in: folder)["glibc"] == "as expected")
        // The same program, made to ask for what there is none of: names of the same length.
        let program = try Data(contentsOf: URL(filePath: "\(tree)/AppRun"))
        var other = program
        let name = try #require(other.range(of: Data("libc.so.6".utf8)))
        other.replaceSubrange(name, with: Data("libq.so.6".utf8))
        try other.write(to: URL(filePath: "\(tree)/AppRun"))
        #expect(
          try await answer(.libraries, in: folder)["libraries"] == "libq.so.6, which AppRun needs, is missing")
        // The loader compares the names of versions too, not their hashes alone.
        other = program
        while let name = other.range(of: Data("GLIBC_2".utf8)) {
          other.replaceSubrange(name, with: Data("GLIBC_9".utf8))
        }
        try other.write(to: URL(filePath: "\(tree)/AppRun"))
        let late = try #require(try await answer(.glibc, in: folder)["glibc"])
        let parts = try #require(
          late.wholeMatch(of: /AppRun (\(\w+\) )?needs GLIBC_9\.\d+, and this machine has 2\.\d+/), "\(late)")
        #expect(parts.1 != nil, "\(late)")
        #expect(try await answer(.libraries, in: folder)["libraries"] == "as expected")
      }
    }
  #endif
}
