package import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Files and folders of this host. All of it blocks, and throws `Failure` with the host's blame, the path and the reason.
package enum FileSystem {
  /// What stands at a path; `nil` when nothing does. A symbolic link is followed unless told otherwise.
  package static func information(_ path: String, followingLink: Bool = true) throws(Failure) -> Stat? {
    do {
      return try FilePath(path).stat(followTargetSymlink: followingLink)
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw Failure(error, "look at", path)
    }
  }

  package static func isFolder(_ path: String) -> Bool {
    (try? information(path))?.type == .directory
  }

  package static func isFile(_ path: String) -> Bool {
    (try? information(path))?.type == .regular
  }

  /// Whether anything has this name, a link that leads nowhere included.
  package static func exists(_ path: String) -> Bool {
    (try? information(path, followingLink: false)) != nil
  }

  /// The bytes of a regular file of at most `limit` bytes.
  package static func read(_ path: String, limit: Int = 16 << 20) throws(Failure) -> [UInt8] {
    do {
      // Without this a named pipe would be waited for.
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
      return try file.closeAfter {
        let information = try file.stat()
        if information.type == .directory { throw Errno.isDirectory }
        guard information.type == .regular else { throw Failure(.host, "cannot read '\(path)': it is no regular file") }
        // Files of /proc and /sys have no size, so the end is found by reading.
        var bytes: [UInt8] = []
        while true {
          let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: min(1 << 20, limit + 1 - bytes.count)) {
            buffer, count in
            unsafe count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
          }
          if chunk.isEmpty { return bytes }
          bytes += chunk
          if bytes.count > limit { throw Failure(.host, "cannot read '\(path)': it is larger than \(limit) bytes") }
        }
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(error, "read", path)
    }
  }

  /// The file as text, broken UTF-8 repaired.
  package static func readText(_ path: String, limit: Int = 16 << 20) throws(Failure) -> String {
    String(decoding: try read(path, limit: limit), as: UTF8.self)
  }

  /// The bytes of a regular file in a range, as far as it goes.
  package static func read(_ path: String, in range: Range<Int64>) throws(Failure) -> [UInt8] {
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
      return try file.closeAfter {
        let size = try file.stat().size
        let end = min(range.upperBound, Int64(size))
        return unsafe try [UInt8](unsafeUninitializedCapacity: max(0, Int(end - range.lowerBound))) { buffer, count in
          while range.lowerBound + Int64(count) < end {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
            let read = unsafe try file.read(fromAbsoluteOffset: range.lowerBound + Int64(count), into: rest)
            if read == 0 { break }
            count += read
          }
        }
      }
    } catch {
      throw Failure(error, "read", path)
    }
  }

  /// Writes a file so that a reader sees the old one or the whole new one, whatever happens in between: a temporary
  /// file beside it, on the disk before it takes the name. The temporary file is gone if this throws.
  package static func write(_ bytes: [UInt8], to path: String, mode: UInt16 = 0o644) throws(Failure) {
    try write(to: path, mode: mode) { write in try write(bytes) }
  }

  /// The same, piece by piece.
  package static func write(
    to path: String, mode: UInt16 = 0o644, _ body: (_ write: ([UInt8]) throws -> Void) throws -> Void
  ) throws(Failure) {
    let temporary = "\(path).\(randomSuffix()).tmp"
    do {
      let file = try FileDescriptor.open(
        FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
        permissions: FilePermissions(rawValue: 0o600))
      do {
        try file.closeAfter {
          try body { _ = try file.writeAll($0) }
          guard fchmod(file.rawValue, mode_t(mode)) == 0, fsync(file.rawValue) == 0 else {
            throw Errno(rawValue: errno)
          }
        }
        guard unsafe rename(temporary, path) == 0 else { throw Errno(rawValue: errno) }
      } catch {
        unsafe unlink(temporary)
        throw error
      }
    } catch {
      throw error as? Failure ?? Failure(error, "write", path)
    }
    // The new name itself is on the disk only when its folder is. A file system that cannot do that is no error.
    let folder = FilePath(path).removingLastComponent()
    if let folder = try? FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly, options: [.closeOnExec]) {
      fsync(folder.rawValue)
      try? folder.close()
    }
  }

  package static func write(_ text: String, to path: String, mode: UInt16 = 0o644) throws(Failure) {
    try write(Array(text.utf8), to: path, mode: mode)
  }

  /// Makes a folder and the parents it lacks; a folder that exists is left as it is.
  package static func createFolder(_ path: String, mode: UInt16 = 0o755) throws(Failure) {
    var prefix = FilePath(path)
    var missing: [FilePath] = []
    while !prefix.isEmpty, try information(prefix.string) == nil {
      missing.append(prefix)
      prefix = prefix.removingLastComponent()
    }
    for folder in missing.reversed() where unsafe mkdir(folder.string, mode_t(mode)) != 0 && errno != EEXIST {
      throw Failure(Errno(rawValue: errno), "create the folder", folder.string)
    }
    guard isFolder(path) else { throw Failure(.host, "cannot create the folder '\(path)': a file has its name") }
  }

  /// Makes a new folder that only this user can look into, and returns its path.
  /// - Parameter folder: Where; `nil` for the folder of temporary files (`TMPDIR`, or `/tmp`).
  package static func createTemporaryFolder(_ prefix: String, in folder: String? = nil) throws(Failure) -> String {
    let folder = folder ?? Directories.temporary
    var last = Errno.fileExists
    for _ in 0..<16 {
      let path = "\(folder)/\(prefix)-\(randomSuffix())"
      if unsafe mkdir(path, 0o700) == 0 { return path }
      last = Errno(rawValue: errno)
      if last != .fileExists { break }
    }
    throw Failure(last, "create a folder in", folder)
  }

  /// The names in a folder, sorted, without `.` and `..`.
  package static func names(in folder: String) throws(Failure) -> [String] {
    do {
      let directory = try FileDescriptor.open(FilePath(folder), .readOnly, options: [.directory, .closeOnExec])
      return try entries(closing: directory).map(text(of:)).sorted()
    } catch {
      throw Failure(error, "read the folder", folder)
    }
  }

  /// Gives a file or folder another name on the same file system, at once; a file that has the name is replaced.
  package static func move(_ path: String, to target: String) throws(Failure) {
    if unsafe rename(path, target) != 0 { throw Failure(Errno(rawValue: errno), "rename '\(path)' to", target) }
  }

  /// Removes a file, link or empty folder; one that is not there is no error.
  package static func remove(_ path: String) throws(Failure) {
    #if canImport(Darwin)
      let result = unsafe Darwin.remove(path)
    #else
      let result = unsafe Glibc.remove(path)
    #endif
    if result != 0, errno != ENOENT { throw Failure(Errno(rawValue: errno), "remove", path) }
  }

  package static func setMode(_ mode: UInt16, of path: String) throws(Failure) {
    if unsafe chmod(path, mode_t(mode)) != 0 { throw Failure(Errno(rawValue: errno), "change the mode of", path) }
  }

  /// Whether this user may make files in a folder.
  package static func isWritable(_ folder: String) -> Bool { unsafe access(folder, W_OK | X_OK) == 0 }

  /// The bytes that this user may still write to the file system of an existing folder.
  package static func freeSpace(of folder: String) throws(Failure) -> Int64 {
    let information = try sizes(of: folder)
    return Int64(clamping: UInt64(information.f_bavail) * UInt64(information.f_frsize))
  }

  /// Whether less than so many bytes are free on the file system of something that exists. One that does not tell how large it
  /// is never counts as full.
  package static func isFull(_ path: String, least: Int64) throws(Failure) -> Bool {
    let (blocks, free) = (try sizes(of: path).f_blocks, try freeSpace(of: path))
    return blocks > 0 && free < least
  }

  private static func sizes(of path: String) throws(Failure) -> statvfs {
    var information = statvfs()
    guard unsafe statvfs(path, &information) == 0 else {
      throw Failure(Errno(rawValue: errno), "ask the free space of", path)
    }
    return information
  }

  /// Copies the content of a file; one that has the name already is replaced at once when the copy is complete.
  package static func copy(_ path: String, to target: String) throws(Failure) {
    let temporary = "\(target).\(randomSuffix()).tmp"
    do {
      let source = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
      try source.closeAfter {
        let mode = try source.stat().permissions
        let copy = try FileDescriptor.open(
          FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: mode)
        try copy.closeAfter {
          while true {
            let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
              unsafe count = try source.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if chunk.isEmpty { break }
            _ = try copy.writeAll(chunk)
          }
        }
      }
      guard unsafe rename(temporary, target) == 0 else { throw Errno(rawValue: errno) }
    } catch {
      unsafe unlink(temporary)
      throw Failure(error, "copy '\(path)' to", target)
    }
  }

  /// Whether something belongs to this user.
  static func isOwned(_ path: String) -> Bool {
    (try? information(path, followingLink: false))?.flatMap { $0.userID.rawValue == geteuid() } ?? false
  }

  /// What a symbolic link leads to.
  static func destination(of path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &buffer, Int(PATH_MAX))
    return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// What makes a name nobody else's, in this process or another: 13 digits and letters.
  package static func randomSuffix() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 36)
    return String(repeating: "0", count: 13 - digits.count) + digits
  }
}
