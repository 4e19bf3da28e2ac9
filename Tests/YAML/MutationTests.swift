import MusterDiagnostics
import Testing

@testable import MusterYAML

/// A generator of the same numbers each time (SplitMix64).
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}

@Suite struct MutationTests {
  private static let matrix = """
    # A matrix with a little of everything.
    muster: 1
    name: "Greeter \\u2713 1.2"
    vars: {version: 1.2.0, 'ключ': "значение"}
    common: &common
      env: {LANG: C.UTF-8}
      timeouts: {launch: 5m, step: 10m}
    distros:
      debian-12: {image: debian/12, tags: [lts, "quoted, text"]}
      arch:
        <<: *common
        image: arch
    tests:
      appimage:
        distros: all
        provision:
          - run: |
              set -eu
              echo "日本語 🎉" > /tmp/file

          - install: [curl,
              jq]
        verify: &works
          - run: >-
              greeter
              --version
            stdout: {equals: 'it''s'}
          - check: {service: greeterd, state: active}
      rpm:
        distros: [family:fedora]
        verify: *works
    ...

    """

  /// Bytes that mean something in YAML or in UTF-8, which hit harder than any bytes.
  private static let spicy = Array("{}[],:-?&*!|>'\"%@`#\t\n\r \\<~0\u{85}\u{FEFF}é日🎉".utf8) + [0, 0x80, 0xC3, 0xFF]

  @Test(arguments: 0..<16) func `reads or refuses whatever a matrix is turned into`(seed: UInt64) {
    var random = Seeded(state: seed)
    for _ in 0..<150 {
      var bytes = Array(Self.matrix.utf8)
      for _ in 0..<Int.random(in: 1...6, using: &random) { Self.mutate(&bytes, using: &random) }
      let file = SourceFile(path: "matrix.yaml", bytes: bytes)
      let document = YAMLDocument.parse(file)
      let end = file.position(ofByte: bytes.count)
      #expect(document.root != nil || document.diagnostics.hasErrors)
      for span in document.diagnostics.flatMap({ [$0.span] + $0.notes.map(\.span) }).compactMap(\.self) {
        #expect(span.start.line >= 1 && span.start.column >= 1 && span.start <= span.end)
        #expect(span.start <= end, "\(span.start) is behind the end of \(bytes)")
      }
      for case .some(let span) in document.diagnostics.map(\.span) {
        #expect(Int(span.start.column) <= (file.line(Int(span.start.line)) ?? []).count + 1)
      }
      let text = DiagnosticRenderer().render(document.diagnostics)
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }
  }

  private static func mutate(_ bytes: inout [UInt8], using random: inout Seeded) {
    guard !bytes.isEmpty else { return }
    let place = bytes.indices.randomElement(using: &random) ?? 0
    let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[place] = spicy.randomElement(using: &random) ?? 0
    case 2: bytes.insert(spicy.randomElement(using: &random) ?? 0, at: place)
    case 3: bytes.removeSubrange(place..<end)
    case 4: bytes.insert(contentsOf: bytes[place..<end], at: bytes.indices.randomElement(using: &random) ?? 0)
    default: bytes.removeSubrange(place...)
    }
  }
}
