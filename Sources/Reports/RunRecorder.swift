import MusterExecution
import MusterHost
import SystemPackage

/// Writes each event to a file as it comes, so that a run can be read up to the moment it was killed. What cannot be
/// written is told once and is no reason to end a run.
struct RunRecorder: Sendable {
  private let file: AppendedFile
  /// Bytes of it so far.
  private(set) var size: Int64
  private(set) var failure: Failure?

  /// - Parameter continues: Whether what was recorded there stays and is added to.
  /// - Throws: `Failure`, when not even the first line can be written.
  init(_ path: String, continues: Bool = false) throws(Failure) {
    if continues, FileSystem.isFile(path) {
      file = try AppendedFile(path)
      size = Int64(try FileSystem.information(path)?.size ?? 0)
      // The last line may be torn.
      if try FileSystem.read(path, in: max(0, size - 1)..<size) != [0x0A] {
        try file.append("\n")
        size += 1
      }
      return
    }
    // A recorded run that has the name already is replaced; a pipe or a device is written to.
    if FileSystem.isFile(path) { try FileSystem.remove(path) }
    file = try AppendedFile(path)
    try file.append(EventLine.header)
    size = Int64(EventLine.header.count)
  }

  /// - Returns: Where the line stands; `nil` where it could not be written.
  @discardableResult
  mutating func append(_ line: [UInt8]) -> Range<Int64>? {
    guard failure == nil else { return nil }
    do throws(Failure) {
      try file.append(line)
      defer { size += Int64(line.count) }
      return size..<size + Int64(line.count)
    } catch {
      failure = error
      return nil
    }
  }

  func close() {
    file.close()
  }
}
