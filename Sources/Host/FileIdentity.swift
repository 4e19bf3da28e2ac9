import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What a file is told by from any other, and from itself at another time, without reading it. Its time of change cannot be
/// set back as that of its content can, so what somebody or something has written to it is noticed.
package struct FileIdentity: Sendable, Hashable, CustomStringConvertible {
  /// Words without spaces.
  package let description: String

  /// As it was written down.
  package init(_ description: String) {
    self.description = description
  }

  /// Of the file at a path, in this life of the host: what was not on the disk yet when it lost its power counts as another.
  /// - Throws: `Failure` when there is no such file.
  package init(of path: String) throws(Failure) {
    guard let information = try FileSystem.information(path), information.type == .regular else {
      throw Failure(.host, "there is no file '\(path)'")
    }
    let changed = information.st_ctim
    let numbers = [
      Int64(truncatingIfNeeded: information.deviceID.rawValue), Int64(truncatingIfNeeded: information.inode.rawValue),
      information.size, information.modified, Int64(changed.tv_sec), Int64(changed.tv_nsec),
    ]
    description = numbers.map(String.init).joined(separator: ":") + ":" + HostFacts.bootID
  }

  /// What a file, or all that is in a folder, is told by; links are followed.
  /// - Throws: `Failure` when something cannot be looked at.
  package static func tree(_ path: String) throws(Failure) -> [String] {
    guard let information = try FileSystem.information(path) else { return ["\(path): nothing"] }
    switch information.type {
    case .regular: return ["\(path): \(try FileIdentity(of: path))"]
    case .directory:
      var lines = ["\(path): folder \(information.permissions.rawValue)"]
      for name in try FileSystem.names(in: path).sorted() { lines += try tree("\(path)/\(name)") }
      return lines
    default: return ["\(path): other"]
    }
  }

  /// Whether it is the same file, whatever was done to it meanwhile.
  package func isOfSameFile(as other: FileIdentity) -> Bool {
    parts.prefix(2) == other.parts.prefix(2)
  }

  /// Whether its content has the same size and the same time, as it has if nobody has set that back.
  package func hasSameContentTime(as other: FileIdentity) -> Bool {
    parts.prefix(4) == other.parts.prefix(4)
  }

  /// Device, inode, size, time of its content, time of its change, life of the host.
  private var parts: [Substring] { description.split(separator: ":") }
}
