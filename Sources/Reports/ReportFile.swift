import MusterHost
import SystemPackage

/// A report that is written as a whole, or not at all.
enum ReportFile {
  /// Finds out before a run whether a report could be written after it, and makes the folder it will lie in.
  static func check(_ path: String) throws(Failure) {
    if FileSystem.isFolder(path) { throw Failure(.host, "cannot write '\(path)': it is a folder") }
    guard !isSpecial(path) else { return }
    let folder = folder(of: path)
    try FileSystem.createFolder(folder)
    try FileSystem.remove(try FileSystem.createTemporaryFolder(".muster-report", in: folder))
  }

  static func write(
    to path: String, _ body: (_ write: ([UInt8]) throws -> Void) throws -> Void
  ) throws(Failure) {
    guard isSpecial(path) else { return try FileSystem.write(to: path, body) }
    let file = try AppendedFile(path)
    defer { file.close() }
    do {
      try body { try file.append($0) }
    } catch {
      throw error as? Failure ?? Failure(.host, "cannot write '\(path)': \(error)")
    }
  }

  static func append(_ bytes: [UInt8], to path: String) throws(Failure) {
    let file = try AppendedFile(path)
    defer { file.close() }
    try file.append(bytes)
  }

  /// A device or a pipe is written to where it stands: a new file in its place would take it away from everybody.
  private static func isSpecial(_ path: String) -> Bool {
    guard let information = try? FileSystem.information(path) else { return false }
    return information.type != .regular && information.type != .directory
  }

  private static func folder(of path: String) -> String {
    let folder = FilePath(path).removingLastComponent()
    return folder.isEmpty ? "." : folder.string
  }
}
