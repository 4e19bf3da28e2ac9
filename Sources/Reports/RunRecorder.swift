import MusterExecution
import MusterHost

/// Writes each event to a file as it comes, so that a run can be read up to the moment it was killed. What cannot be
/// written is told once and is no reason to end a run.
struct RunRecorder: Sendable {
  private let file: AppendedFile
  private(set) var failure: Failure?

  /// - Parameter continues: Whether what was recorded there stays and is added to.
  /// - Throws: `Failure`, when not even the first line can be written.
  init(_ path: String, continues: Bool = false) throws(Failure) {
    if continues, FileSystem.isFile(path) {
      file = try AppendedFile(path)
      // The last line may be torn.
      if try FileSystem.read(path, limit: 1 << 30).last != 0x0A { try file.append("\n") }
      return
    }
    // A recorded run that has the name already is replaced; a pipe or a device is written to.
    if FileSystem.isFile(path) { try FileSystem.remove(path) }
    file = try AppendedFile(path)
    try file.append(EventLine.header)
  }

  mutating func append(_ line: [UInt8]) {
    guard failure == nil else { return }
    do throws(Failure) {
      try file.append(line)
    } catch {
      failure = error
    }
  }

  func close() {
    file.close()
  }
}
