import MusterExecution
import MusterHost
import MusterMachines
import SystemPackage

/// How long cells took: a file of the state folder, since it cannot be made again. A line of JSON for each cell that came
/// to a verdict, the newest last: `{"matrix", "backend", "cell", "start", "seconds"}`. It is no more than a help: what
/// cannot be read or written of it is left at that.
///
/// A line is added as a whole, so that several runs may have it at once; a moment in which one of them shortens it may
/// cost another a line.
package struct DurationLog: Sendable {
  /// Of one cell in one run.
  struct Entry: Sendable, Hashable {
    var cell: String
    var backend: String
    /// `resumed` where all its machines did.
    var start: MachineStart
    /// From its start to its end, but for making its image ready.
    var seconds: Double
  }

  private let path: String
  /// Bytes, at most; when there are more, the older half goes.
  private let limit: Int

  package init(state: String, limit: Int = 4 << 20) {
    path = "\(state)/durations.jsonl"
    self.limit = limit
  }

  /// - Parameter matrix: The matrix file as given; its absolute path is what it is known by.
  func append(_ entry: Entry, of matrix: String) throws(Failure) {
    var json = JSONWriter()
    json.object { json in
      json.member("matrix", Self.absolute(matrix))
      json.member("backend", entry.backend)
      json.member("cell", entry.cell)
      json.member("start", entry.start.rawValue)
      json.member("seconds", entry.seconds)
    }
    json.newline()
    let size = try FileSystem.information(path)?.size ?? 0
    if Int(size) + json.bytes.count > limit { try shorten() }
    let file = try AppendedFile(path)
    defer { file.close() }
    try file.append(json.bytes)
  }

  private func shorten() throws(Failure) {
    let bytes = try FileSystem.read(path, limit: 2 * limit)
    let end = bytes.index(of: 0x0A, from: bytes.count - min(bytes.count, limit / 2)) ?? bytes.count - 1
    try FileSystem.write(Array(bytes[(end + 1)...]), to: path)
  }

  /// What is known of a matrix, the newest last.
  func entries(of matrix: String) -> [Entry] {
    guard let bytes = try? FileSystem.read(path, limit: 2 * limit) else { return [] }
    var name = JSONWriter()
    name.value(Self.absolute(matrix))
    let start = Array("{\"matrix\":".utf8) + name.bytes + [UInt8(ascii: ",")]
    return bytes.split(separator: 0x0A).compactMap { line in
      // Those of other matrices need not be read.
      guard line.starts(with: start), let json = JSONValue(line), let cell = json["cell"]?.string,
        let backend = json["backend"]?.string, let start = json["start"]?.string.flatMap(MachineStart.init),
        let seconds = json["seconds"]?.double, seconds >= 0
      else { return nil }
      return Entry(cell: cell, backend: backend, start: start, seconds: seconds)
    }
  }

  private static func absolute(_ path: String) -> String {
    FilePath(Directories.absolute(path)).lexicallyNormalized().string
  }
}

/// Follows a run, and adds each of its cells to the log.
struct DurationRecorder: Sendable {
  let log: DurationLog
  private var matrix = ""
  private var backend = ""
  /// Seconds that the cell has spent on its image.
  private var imageSeconds = 0.0
  private var start: MachineStart?

  init(_ log: DurationLog) {
    self.log = log
  }

  mutating func add(_ event: Event) {
    switch event.kind {
    case .runStarted(let run): (matrix, backend) = (run.file, run.backend)
    case .cellStarted: (imageSeconds, start) = (0, nil)
    case .imageReady(_, _, let seconds): imageSeconds += seconds
    case .machineLaunched(_, _, let start): self.start = self.start == .booted ? .booted : start
    case .cellFinished(let end):
      guard let start, end.isVerdict else { return }
      let seconds = max(0, end.seconds - imageSeconds)
      try? log.append(
        DurationLog.Entry(cell: end.cell, backend: backend, start: start, seconds: seconds), of: matrix)
    default: break
    }
  }
}

extension CellFinished {
  fileprivate var isVerdict: Bool {
    switch outcome {
    case .passed, .flaky, .expectedFailure: true
    default: outcome.blamesRelease(reason?.blame)
    }
  }
}
