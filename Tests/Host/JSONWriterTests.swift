import MusterHost
import Testing

@Suite struct JSONWriterTests {
  private func text(_ layout: JSONWriter.Layout = .compact, _ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter(layout)
    body(&json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  @Test func members() {
    let compact = text {
      $0.object {
        $0.member("a", "x")
        $0.member("b", nil as String?)
        $0.member("c", array: ["1", "2"])
        $0.member("d", object: { _ in })
        $0.member("e", array: { $0.object { $0.member("f", true) } })
        $0.member("g", -7)
      }
    }
    #expect(compact == #"{"a":"x","b":null,"c":["1","2"],"d":{},"e":[{"f":true}],"g":-7}"#)
  }

  @Test func indented() {
    let indented = text(.indented) {
      $0.object {
        $0.member("a", array: ["1", "2"])
        $0.member("b", array: { _ in })
      }
    }
    #expect(indented == "{\n  \"a\": [\n    \"1\",\n    \"2\"\n  ],\n  \"b\": []\n}")
  }

  @Test(arguments: [
    (0, "0"), (1, "1"), (1.5, "1.5"), (0.0004, "0"), (0.0006, "0.001"), (-0.0001, "0"), (-2.25, "-2.25"),
    (59.9996, "60"), (1_234_567.089, "1234567.089"), (0.05, "0.05"), (.nan, "null"), (.infinity, "null"),
  ])
  func numbers(number: Double, written: String) {
    #expect(text { $0.value(number) } == written)
  }

  @Test(arguments: [
    ("", #""""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#),
    ("\0\u{1B}[31m\u{7F}", #""\u0000\u001b[31m\u007f""#),
    ("\u{85}\u{9B}x\u{A0}é", "\"\\u0085\\u009bx\u{A0}é\""), ("𝄞", #""𝄞""#),
    (String(decoding: [0x61, 0xFF, 0xC2], as: UTF8.self), "\"a\u{FFFD}\u{FFFD}\""),
  ])
  func strings(string: String, written: String) {
    #expect(text { $0.value(string) } == written)
  }

  @Test func lines() {
    var json = JSONWriter()
    json.object { $0.member("a", 1) }
    json.newline()
    json.object { $0.member("a", 2) }
    json.newline()
    #expect(String(decoding: json.take(), as: UTF8.self) == "{\"a\":1}\n{\"a\":2}\n")
    #expect(json.bytes.isEmpty)
  }
}
