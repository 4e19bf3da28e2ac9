import MusterHost
import SystemPackage
import Testing

@Suite struct TerminalTests {
  @Test(
    arguments: [
      (.auto, true, [:], true), (.auto, false, [:], false), (.auto, true, ["TERM": "dumb"], false),
      (.auto, true, ["NO_COLOR": "1", "CLICOLOR_FORCE": "1"], false), (.auto, true, ["NO_COLOR": ""], true),
      (.auto, false, ["CLICOLOR_FORCE": "1"], true), (.auto, false, ["CLICOLOR_FORCE": "0"], false),
      (.always, false, ["NO_COLOR": "1"], true), (.never, true, ["CLICOLOR_FORCE": "1"], false),
    ] as [(ColorChoice, Bool, [String: String], Bool)])
  func colors(choice: ColorChoice, isTerminal: Bool, changes: [String: String], isColored: Bool) {
    let environment = ["TERM": "xterm"].merging(changes) { $1 }
    #expect(choice.isColored(isTerminal: isTerminal) { environment[$0] } == isColored)
  }

  @Test func pipeIsNoTerminal() throws {
    let (reading, writing) = try FileDescriptor.pipe()
    defer { try? reading.close() }
    #expect(!Terminal.isTerminal(writing))
    #expect(Terminal.columns(of: writing) == nil)
    try Terminal.write("grüße", to: writing)
    try writing.close()
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = unsafe try bytes.withUnsafeMutableBytes { unsafe try reading.read(into: $0) }
    #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == "grüße")
  }
}
