import Foundation
import MusterHost
import MusterMatrix
import Testing

@testable import MusterChannels

/// Looks at files of keys with this host's own tools, and with those of busybox where it is.
@Suite struct KeyFileTests {
  private static let fingerprint = "57360AC6F90E3947D73F0F00B4F17533C2E23B4E"
  private static let packets = """
    mDMEawGk2hYJKwYBBAHaRw8BAQdAlio3pbT4oLKtmuVnkk4qLTRtr8aqd3RwWvj2
    8dBOfzO0FFRlc3QgPHRAZXhhbXBsZS5vcmc+iJAEExYIADgWIQRXNgrG+Q45R9c/
    DwC08XUzwuI7TgUCawGk2gIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRC0
    8XUzwuI7TiMeAQDZO/w7kDQxG29lHuHQ0KHGgbyxDTxfQHoceQGhGLfWygD/ShlR
    jNAa3jnz0I97g6/DBZlp4Q27R1eT5EwjUTjC5QQ=
    """
  private static let block =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: of a test\n\n\(packets)\n=Heia\n-----END PGP PUBLIC KEY BLOCK-----\n"
  private static let binary = Data(base64Encoded: packets, options: .ignoreUnknownCharacters) ?? Data()
  /// An RSA key, whose packet has the old form with a length of two bytes.
  private static let other = "AB8B217454396C751CE0C1559273C9DAFD992DDF"

  struct Sample: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var file: Data
    /// What is found instead of the fingerprint; `nil` where it is found.
    var found: String?
    var isKey = true

    init(_ name: String, _ file: Data, found: String? = nil, isKey: Bool = true) {
      testDescription = name
      self.file = file
      self.found = found
      self.isKey = isKey
    }
  }

  static let samples = [
    Sample("in ASCII", Data(block.utf8)),
    Sample("in ASCII with the ends of lines of Windows", Data(block.replacing("\n", with: "\r\n").utf8)),
    Sample("binary", binary),
    Sample("twice", Data((block + block).utf8)),
    Sample("another's", Data(ChannelStep.anotherKey.utf8), found: other),
    Sample("another's beside it", Data((block + ChannelStep.anotherKey).utf8), found: "\(fingerprint) \(other)"),
    Sample("empty", Data(), found: "no OpenPGP public key", isKey: false),
    Sample("a page of a server", Data("<html>404</html>\n".utf8), found: "no OpenPGP public key", isKey: false),
    Sample("cut", Data(block.prefix(80).utf8), found: "no OpenPGP public key", isKey: false),
    // The first packet's tag is 5, the secret key's.
    Sample("secret", Data([0x94]) + binary.dropFirst(), found: "a secret key", isKey: false),
    Sample(
      "of version 6", Data([0x98, 0x33, 6]) + binary.dropFirst(3),
      found: "a key of version 6, whose fingerprint is another kind", isKey: false),
  ]

  /// Alpine has no other.
  private static let shells =
    [["/bin/sh"]]
    + ["/bin/busybox", "/usr/bin/busybox"].filter(FileManager.default.isExecutableFile).prefix(1).map { [$0, "sh"] }

  @Test(arguments: samples, shells)
  func find(sample: Sample, shell: [String]) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "muster-key-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = "\(folder)/key"
    try sample.file.write(to: URL(filePath: file))
    for fingerprint in [Self.fingerprint, nil] {
      let script = KeyFile.script(file, fingerprint: fingerprint)
      let output = try await HostCommand(shell[0], shell.dropFirst() + ["-e", "-c", script.script]).run()
      #expect(output.ending == .exited(0), "\(output.errorText)")
      let answers = CheckAnswers(output.text)
      let fact = try #require(script.facts.first)
      let found = sample.found ?? Self.fingerprint
      let expected = fingerprint == nil && sample.isKey ? "an OpenPGP public key" : found
      #expect(answers[fact] == expected)
    }
  }

  @Test func aFileThatIsMissing() async throws {
    let script = KeyFile.script("/nonexistent/key", fingerprint: nil)
    let output = try await HostCommand("/bin/sh", ["-e", "-c", script.script]).run()
    #expect(output.ending != .exited(0))
  }
}
