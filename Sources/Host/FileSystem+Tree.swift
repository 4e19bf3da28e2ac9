import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension FileSystem {
  /// Removes a file, or a folder with all that is in it; one that is not there is no error.
  ///
  /// Symbolic links are removed and never followed, also if somebody puts one in place of a folder meanwhile. Another
  /// file system that is mounted inside is not entered: that is an error.
  package static func removeTree(_ path: String) throws(Failure) {
    do {
      guard let top = try? FilePath(path).stat(followTargetSymlink: false) else { return try remove(path) }
      try removeTree(at: AT_FDCWD, unsafe path.withCString { unsafe cString($0) }, device: top.deviceID)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(error, "remove", path)
    }
  }

  private static func removeTree(at parent: Int32, _ name: [CChar], device: DeviceID) throws {
    if unsafe unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
    // Linux says EISDIR of a folder, macOS EPERM.
    guard [EISDIR, EPERM, EACCES].contains(errno) else { throw Errno(rawValue: errno) }
    let reason = Errno(rawValue: errno)
    var folder = unsafe openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if folder < 0, errno == EACCES, unsafe fchmodat(parent, name, 0o700, 0) == 0 {
      folder = unsafe openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    guard folder >= 0 else { throw errno == ENOTDIR || errno == ELOOP ? reason : Errno(rawValue: errno) }
    let directory = FileDescriptor(rawValue: folder)
    do {
      let information = try directory.stat()
      guard information.deviceID == device else {
        let text = text(of: name)
        throw Failure(.host, "cannot remove '\(text)': another file system is mounted there", hint: "unmount it")
      }
      // A folder that forbids writing does not let go of its entries.
      if !information.permissions.isSuperset(of: [.ownerWrite, .ownerExecute]) { fchmod(folder, 0o700) }
      for entry in try entries(closing: directory.duplicate()) {
        try removeTree(at: folder, entry, device: device)
      }
      try directory.close()
    } catch {
      try? directory.close()
      throw error
    }
    if unsafe unlinkat(parent, name, AT_REMOVEDIR) != 0, errno != ENOENT { throw Errno(rawValue: errno) }
  }

  /// The names in a folder as the bytes they are, without `.` and `..`.
  static func entries(closing folder: FileDescriptor) throws -> [[CChar]] {
    guard let stream = unsafe fdopendir(folder.rawValue) else {
      let error = Errno(rawValue: errno)
      try? folder.close()
      throw error
    }
    defer { unsafe closedir(stream) }
    unsafe rewinddir(stream)
    var names: [[CChar]] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { throw Errno(rawValue: errno) }
        return names
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe cString($0) }
      }
      if unsafe strcmp(name, ".") != 0, unsafe strcmp(name, "..") != 0 { names.append(name) }
    }
  }

  /// A name as text, broken UTF-8 repaired.
  static func text(of name: [CChar]) -> String {
    String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The bytes of a C string with its NUL.
  private static func cString(_ pointer: UnsafePointer<CChar>) -> [CChar] {
    unsafe Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer) + 1))
  }
}
