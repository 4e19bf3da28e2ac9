import Synchronization
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A file that is only ever added to, such as a log or lines of JSON. Whole pieces: two writers never mix theirs.
package final class AppendedFile: Sendable {
  package let path: String
  private let file: Mutex<FileDescriptor?>

  /// Opens the file, or makes it.
  /// - Throws: `Failure`.
  package init(_ path: String, mode: UInt16 = 0o644) throws(Failure) {
    self.path = path
    do {
      file = Mutex(
        try FileDescriptor.open(
          FilePath(path), .writeOnly, options: [.append, .create, .closeOnExec],
          permissions: FilePermissions(rawValue: CModeT(mode))))
    } catch {
      throw Failure(error, "write", path)
    }
  }

  deinit {
    close()
  }

  /// - Throws: `Failure`; then a part of the bytes may have been written.
  package func append(_ bytes: [UInt8]) throws(Failure) {
    do {
      try file.withLock { file in
        guard let file else { throw Errno.badFileDescriptor }
        _ = try file.writeAll(bytes)
      }
    } catch {
      throw Failure(error, "write", path)
    }
  }

  package func append(_ text: String) throws(Failure) {
    try append(Array(text.utf8))
  }

  /// Returns when all that was appended is on the disk.
  package func synchronize() throws(Failure) {
    do {
      try file.withLock { file in
        guard let file else { throw Errno.badFileDescriptor }
        if fsync(file.rawValue) != 0, errno != EINVAL { throw Errno(rawValue: errno) }
      }
    } catch {
      throw Failure(error, "write", path)
    }
  }

  /// Whether it is still what its path names, or another path: nobody has removed it.
  package var isThere: Bool {
    file.withLock { file in
      var information = stat()
      guard let file, unsafe fstat(file.rawValue, &information) == 0 else { return false }
      return information.st_nlink > 0
    }
  }

  package func close() {
    file.withLock { file in
      try? file?.close()
      file = nil
    }
  }
}
