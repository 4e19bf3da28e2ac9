import MusterHost
import MusterImages
import Testing

@testable import MusterQEMU

@Suite struct TemplateSealTests {
  private func seal() throws -> TemplateSeal {
    var seal = TemplateSeal(key: "0123456789abcdef", name: "debian/12", now: Timestamp(milliseconds: 1_795_330_766_511))
    seal.hasLanes = true
    seal.files = [
      TemplateSeal.File(
        path: "memory", digest: try #require(Digest(String(repeating: "a1", count: 32))),
        identity: FileIdentity("1:2:3:4:5:6:boot")),
      TemplateSeal.File(
        path: "/images/a name with spaces.qcow2", digest: try #require(Digest(String(repeating: "b2", count: 32))),
        identity: FileIdentity("7:8:9:10:11:12:boot")),
    ]
    return seal
  }

  @Test func whatIsWrittenIsRead() throws {
    var seal = try seal()
    #expect(TemplateSeal(seal.text) == seal)
    seal.unfit = "a device cannot be saved"
    #expect(TemplateSeal(seal.text) == seal)
  }

  /// Each byte, each of its bits; and each place that a write may have ended at.
  @Test func whatIsNotWholeIsNone() throws {
    let bytes = Array(try seal().text.utf8)
    for index in bytes.indices {
      for bit in 0..<7 {
        var damaged = bytes
        damaged[index] ^= 1 << bit
        #expect(TemplateSeal(String(decoding: damaged, as: UTF8.self)) == nil)
      }
      #expect(TemplateSeal(String(decoding: bytes[..<index], as: UTF8.self)) == nil || index == bytes.count - 1)
    }
  }
}
