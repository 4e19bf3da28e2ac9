#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension Array where Element == UInt8 {
  /// The index of the first `byte` at or after `start`, by the C library's fast search.
  package func index(of byte: UInt8, from start: Int = 0) -> Int? {
    guard start < count else { return nil }
    return unsafe withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress, let found = unsafe memchr(base + start, Int32(byte), count - start) else {
        return nil
      }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// Whether they have `part` somewhere: all environments of a host are looked through while others wait.
  func contains(_ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    var start = 0
    while let place = index(of: first, from: start), place + part.count <= count {
      let isHere = unsafe withUnsafeBytes { bytes in
        unsafe part.withUnsafeBytes { part in
          guard let here = bytes.baseAddress, let wanted = part.baseAddress else { return false }
          return unsafe memcmp(here + place, wanted, part.count) == 0
        }
      }
      if isHere { return true }
      start = place + 1
    }
    return false
  }
}
