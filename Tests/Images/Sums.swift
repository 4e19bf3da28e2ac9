import MusterHost
import MusterTestSupport

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

func sha256(_ bytes: [UInt8]) -> String { sum("sha256", bytes) }
func sha512(_ bytes: [UInt8]) -> String { sum("sha512", bytes) }

/// Not by the tools that Muster uses.
private func sum(_ algorithm: String, _ bytes: [UInt8]) -> String {
  guard let folder = try? TestFolder(), (try? FileSystem.write(bytes, to: folder / "file")) != nil,
    let stream = unsafe popen(
      "python3 -c 'import hashlib, sys; print(hashlib.\(algorithm)(sys.stdin.buffer.read()).hexdigest())' <\(folder / "file")",
      "r")
  else {
    return "python3 cannot be asked"
  }
  defer { unsafe pclose(stream) }
  var text = ""
  while case let byte = unsafe getc(stream), byte != EOF, byte != 0x0A {
    text.append(Character(Unicode.Scalar(UInt8(byte))))
  }
  return text
}

/// A disk image as far as the store looks at it: a boot sector, then bytes that tell one image from another.
func diskImage(_ seed: UInt8 = 1, size: Int = 1 << 20) -> [UInt8] {
  var bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 >> 8) ^ seed }
  bytes[510] = 0x55
  bytes[511] = 0xAA
  return bytes
}
