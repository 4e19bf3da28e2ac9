import MusterHost
import Testing

@testable import MusterQEMU

@Suite struct BoundedLogTests {
  @Test(arguments: [1, 7, 100, 5000])
  func theBeginningAndTheEndAreKept(piece: Int) throws {
    let folder = try FileSystem.createTemporaryFolder("muster-log")
    defer { try? FileSystem.removeTree(folder) }
    var log = try BoundedLog("\(folder)/log", beginning: 100, end: 50)
    let bytes = (0..<5000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    var rest = bytes[...]
    while !rest.isEmpty {
      log.append(Array(rest.prefix(piece)))
      rest = rest.dropFirst(piece)
    }
    log.close()
    let text = try FileSystem.read("\(folder)/log")
    #expect(Array(text.prefix(100)) == Array(bytes.prefix(100)))
    #expect(Array(text.suffix(50)) == Array(bytes.suffix(50)))
    #expect(String(decoding: text, as: UTF8.self).contains("[... 4850 bytes left out ...]"))
  }

  @Test func aShortOneIsWhole() throws {
    let folder = try FileSystem.createTemporaryFolder("muster-log")
    defer { try? FileSystem.removeTree(folder) }
    var log = try BoundedLog("\(folder)/log", beginning: 4, end: 50)
    log.append(Array("short text".utf8))
    log.close()
    #expect(try FileSystem.readText("\(folder)/log") == "short text")
  }
}
