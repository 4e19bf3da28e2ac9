import Testing

@testable import MusterQEMU

@Suite struct ConsoleTextTests {
  private func lines(_ pieces: String...) -> (lines: [String], rest: String) {
    var text = ConsoleText()
    let lines = pieces.flatMap { text.take($0.utf8) }
    return (lines, text.unfinished)
  }

  @Test func linesEndWithEitherEnd() {
    #expect(lines("one\r\ntwo\nthree\rfour").lines == ["one", "two", "three"])
    #expect(lines("one\r\ntwo\nthree\rfour").rest == "four")
  }

  @Test func piecesOfAnySizeGiveTheSameLines() {
    // As systemd writes it.
    let text =
      "[\u{1B}[0;32m  OK  \u{1B}[0m] Started \u{1B}[0;1;39mssh.service\u{1B}[0m.\r\n\u{1B}]0;title\u{7}next\r\n"
    for size in 1...text.utf8.count {
      var console = ConsoleText()
      var lines: [String] = []
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        lines += console.take(rest.prefix(size))
        rest = rest.dropFirst(size)
      }
      #expect(lines == ["[  OK  ] Started ssh.service.", "next"], "in pieces of \(size)")
    }
  }

  @Test func cursorMovesOfFirmwareEndLines() {
    let text = "\u{1B}[2J\u{1B}[01;01HUEFI Interactive Shell v2.2\r\n\u{1B}[08;01H\u{1B}[1m\u{1B}[33m\u{1B}[40mShell> "
    #expect(lines(text).lines == ["UEFI Interactive Shell v2.2"])
    #expect(lines(text).rest == "Shell> ")
  }

  @Test func aSequenceThatBreaksOffSwallowsNothing() {
    #expect(lines("a\u{1B}[31\r\nb\r\n").lines == ["a", "b"])
    #expect(lines("a\u{1B}]0;never ends\r\nb\r\n").lines == ["a", "b"])
  }

  @Test func controlCharactersAndBrokenTextAreHarmless() {
    var text = ConsoleText()
    #expect(text.take([0x61, 0x00, 0x07, 0x62, 0xFF, 0x0A]) == ["ab\u{FFFD}"])
    #expect(text.take(Array("xy\u{8}z\n".utf8)) == ["xz"])
  }

  @Test func anEndlessLineIsCut() {
    var text = ConsoleText()
    let lines = text.take(Array(repeating: UInt8(ascii: "a"), count: 3 * ConsoleText.lengthLimit + 5))
    #expect(lines.count == 3)
    #expect(text.unfinished == "aaaaa")
  }
}
