import SystemPackage

extension FileSystem {
  /// Reads where a file has data and what it is: what was never written, the holes of a sparse file, is left out. Each piece
  /// is handed on with the place where it stands.
  /// - Throws: `Failure`, and what `body` throws.
  package static func forEachPiece(
    of path: String, _ body: (_ offset: Int64, _ bytes: [UInt8]) async throws -> Void
  ) async throws {
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
      defer { try? file.close() }
      let size = try file.stat().size
      var offset: Int64 = 0
      while offset < size, let start = try seek(file, offset, to: nextData) {
        let end = try seek(file, start, to: nextHole) ?? size
        offset = start
        while offset < end {
          let (place, count) = (offset, Int(min(end - offset, 1 << 20)))
          let bytes = unsafe try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe filled = try file.read(fromAbsoluteOffset: place, into: UnsafeMutableRawBufferPointer(buffer))
          }
          if bytes.isEmpty { return }
          try await body(place, bytes)
          offset += Int64(bytes.count)
        }
      }
    } catch let error as Errno {
      throw Failure(error, "read", path)
    }
  }

  // SEEK_DATA and SEEK_HOLE, see lseek(2): no module of Linux's has them.
  #if canImport(Darwin)
    private static let (nextHole, nextData) = (Int32(3), Int32(4))
  #else
    private static let (nextData, nextHole) = (Int32(3), Int32(4))
  #endif

  /// `nil` where nothing more comes.
  private static func seek(_ file: FileDescriptor, _ offset: Int64, to what: Int32) throws -> Int64? {
    do {
      return try file.seek(offset: offset, from: FileDescriptor.SeekOrigin(rawValue: what))
    } catch Errno.noSuchAddressOrDevice {
      return nil
    }
  }
}
