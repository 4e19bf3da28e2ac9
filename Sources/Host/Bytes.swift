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
}
