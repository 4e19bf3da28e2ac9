package import MusterDiagnostics
import SystemPackage

/// Why a file cannot be read at all.
package struct SourceFileError: Error, Sendable, Hashable {
  package enum Reason: Sendable, Hashable {
    /// There is nothing of that name.
    case missing
    /// It is a folder, a pipe, a device or a socket.
    case notRegular
    case tooLarge
    /// The operating system refuses.
    case unreadable
  }

  package var reason: Reason
  /// The path as the person gave it.
  package var path: String
  /// A lowercase fragment that says what is wrong, without the path.
  package var message: String
  package var hint: String?

  package var diagnostic: Diagnostic {
    Diagnostic(.error, message, at: nil, path: path, hint: hint)
  }
}

extension SourceFile {
  /// Reads a file, never waiting for another process: what is not a regular file is refused.
  ///
  /// - Parameters:
  ///   - path: Where the file is.
  ///   - name: What the file is called in diagnostics, if not by its path.
  package static func read(_ path: String, shownAs name: String? = nil) throws(SourceFileError) -> SourceFile {
    let name = name ?? path
    do {
      // A fifo without a writer would block an ordinary open for ever.
      let descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.nonBlocking, .closeOnExec])
      let bytes: Result<[UInt8], any Error> = Result { try contents(of: descriptor, name: name) }
      try descriptor.close()
      return SourceFile(path: name, bytes: try bytes.get())
    } catch let error as SourceFileError {
      throw error
    } catch let error as Errno {
      throw SourceFileError(error, name: name)
    } catch {
      throw SourceFileError(reason: .unreadable, path: name, message: "the file cannot be read: \(error)")
    }
  }

  /// The bytes of an open regular file, without a byte order mark.
  private static func contents(of descriptor: FileDescriptor, name: String) throws -> [UInt8] {
    let status = try descriptor.stat()
    guard status.type == .regular else {
      throw SourceFileError(
        reason: .notRegular, path: name, message: "this is \(kind(status.type)), not a file", hint: "give a YAML file")
    }
    let limit = Limits.bytes
    let tooLarge = SourceFileError(
      reason: .tooLarge, path: name, message: "the file is larger than \(limit >> 20) MiB",
      hint: "split it and bring the parts together with 'extends'")
    guard status.size <= limit else { throw tooLarge }
    // One byte more than expected shows the end without a second read; a file that grows meanwhile is read on.
    var bytes = [UInt8](repeating: 0, count: Int(status.size) + 1)
    var count = 0
    while true {
      let read = try unsafe bytes.withUnsafeMutableBytes { buffer in
        try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      }
      if read == 0 { break }
      count += read
      guard count <= limit else { throw tooLarge }
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: max(4096, count))) }
    }
    bytes.removeLast(bytes.count - count)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    return bytes
  }

  private static func kind(_ type: FileType) -> String {
    switch type {
    case .directory: "a folder"
    case .fifo: "a pipe"
    case .socket: "a socket"
    case .characterSpecial, .blockSpecial: "a device"
    default: "something else"
    }
  }
}

extension SourceFileError {
  fileprivate init(_ error: Errno, name: String) {
    switch error {
    case .noSuchFileOrDirectory, .notDirectory:
      self.init(reason: .missing, path: name, message: "no such file")
    case .permissionDenied, .notPermitted:
      self.init(
        reason: .unreadable, path: name, message: "the file cannot be read: permission denied",
        hint: "see who may read it with 'ls -l'")
    case .noSuchAddressOrDevice:
      // What opening a socket gives on Linux.
      self.init(reason: .notRegular, path: name, message: "this is a socket or a device, not a file")
    default:
      self.init(reason: .unreadable, path: name, message: "the file cannot be read: \(error)")
    }
  }
}
