import MusterHost
import SystemPackage

/// A file from the network, fetched by the system's curl into a part file that a later attempt, or a later run, adds to.
struct Download: Sendable {
  /// `https`, `http` or `file`.
  var url: String
  /// The absolute path of the part file.
  var part: String
  /// Whose mistake it is when the server says that there is no such file.
  var blame: Blame
  var patience = Patience()
  /// The most bytes that are taken.
  var limit = Int64.max
  /// Bytes that must be free beside what comes.
  var reserve: Int64 = 0

  /// How long a download is tried.
  struct Patience: Sendable, Hashable {
    /// The waits between the attempts; one more attempt than waits. Each attempt that brought something starts over.
    var delays: [Duration] = [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16)]
    /// Whole seconds for a connection.
    var connect = 20
    /// Whole seconds in which hardly anything came (less than a kilobyte a second) until an attempt is given up.
    var stall = 30
    /// Whole seconds for an attempt as a whole.
    var whole: Int?
  }

  /// What happens on the way.
  enum Event: Sendable, Hashable {
    /// Bytes that are there, of how many in all where that is known, and how many came per second lately.
    case progress(done: Int64, total: Int64?, rate: Double?)
    /// An attempt failed and another is made after a while.
    case again(after: Duration, because: String)
  }

  /// Fetches all of it, going on where the part file ends.
  /// - Returns: Whether bytes of an earlier attempt were kept, so that they may be of another file than the rest.
  /// - Throws: `Failure`, `CancellationError`.
  func fetch(_ event: @escaping @Sendable (Event) async -> Void) async throws -> Bool {
    var resumed = false
    var failed = 0
    while true {
      let start = try size()
      do {
        if start > 0 { resumed = true }
        switch try await attempt(from: start, event) {
        case .complete: return resumed
        case .restart:
          try FileSystem.remove(part)
          resumed = false
        }
      } catch let failure as Failure where failure.canPass {
        if try size() > start { failed = 0 }
        guard failed < patience.delays.count else { throw failure }
        let delay = patience.delays[failed]
        failed += 1
        await event(.again(after: delay, because: failure.message))
        try await Task.sleep(for: delay)
      }
    }
  }

  private enum Attempt {
    case complete
    /// What is there cannot be added to.
    case restart
  }

  private func attempt(from start: Int64, _ event: @escaping @Sendable (Event) async -> Void) async throws -> Attempt {
    let headers = "\(part).headers"
    defer { try? FileSystem.remove(headers) }
    let receiver = Receiver(
      file: try AppendedFile(part, mode: 0o600), folder: FilePath(part).removingLastComponent().string,
      headers: headers, start: start, limit: limit, reserve: reserve, event: event)
    let log = LogTail()
    let ending: ProcessEnding
    do {
      ending = try await HostCommand("curl", arguments(from: start, headers: headers), input: configuration).run {
        stream, bytes in
        switch stream {
        case .stdout: try await receiver.take(bytes)
        case .stderr: log.append(bytes)
        }
      }
    } catch let error as HostCommandError {
      throw Failure(.host, "cannot download \(displayed): \(error)", hint: "install curl: apt-get install curl")
    }
    await receiver.finish()
    let result = CurlResult(ending: ending, log: log.lines)
    if result.isSuccess { return .complete }
    // 33: the server cannot send a part of the file. 416: there is nothing behind what is there, or it is another file.
    if start > 0, result.status == 416 { return .complete }
    if start > 0, result.code == 33 { return .restart }
    throw result.failure(displayed, blame: blame)
  }

  /// Nothing that could be a secret is on the command line: the URL goes in on standard input.
  private func arguments(from start: Int64, headers: String) -> [String] {
    var list = [
      "--disable", "--config", "-", "--fail", "--location", "--max-redirs", "10", "--globoff", "--silent",
      "--show-error",
    ]
    list += ["--proto", "=https,http,file", "--proto-redir", "=https,http"]
    list += ["--connect-timeout", "\(patience.connect)", "--speed-limit", "1000", "--speed-time", "\(patience.stall)"]
    if let whole = patience.whole { list += ["--max-time", "\(whole)"] }
    if start > 0 { list += ["--continue-at", "\(start)"] }
    return list + [
      "--dump-header", headers, "--output", "-", "--write-out", "%{stderr}\(CurlResult.marker)%{http_code}\n",
    ]
  }

  private var configuration: [UInt8] {
    let quoted = url.reduce(into: "") { text, character in
      if character == "\"" || character == "\\" { text.append("\\") }
      text.append(character)
    }
    return Array("url = \"\(quoted)\"\n".utf8)
  }

  private func size() throws -> Int64 {
    Int64(try FileSystem.information(part)?.size ?? 0)
  }

  private var displayed: String { Self.displayed(url) }

  /// A URL without the user and the password that may be in it.
  static func displayed(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    let rest = url[scheme.upperBound...]
    let host = rest.prefix { $0 != "/" }
    guard let at = host.lastIndex(of: "@") else { return url }
    return url[..<scheme.upperBound] + "…" + rest[at...]
  }
}

/// Takes the bytes of one attempt.
private actor Receiver {
  let file: AppendedFile
  let folder: String
  let headers: String
  let start: Int64
  let limit: Int64
  let reserve: Int64
  let event: @Sendable (Download.Event) async -> Void
  private var received: Int64 = 0
  private var total: Int64?
  private let stopwatch = Stopwatch()
  private var reported = Duration.zero

  init(
    file: AppendedFile, folder: String, headers: String, start: Int64, limit: Int64, reserve: Int64,
    event: @escaping @Sendable (Download.Event) async -> Void
  ) {
    self.file = file
    self.folder = folder
    self.headers = headers
    self.start = start
    self.limit = limit
    self.reserve = reserve
    self.event = event
  }

  func take(_ bytes: [UInt8]) async throws {
    if received == 0 {
      total = (try? FileSystem.readText(headers)).flatMap(Self.length(inHeaders:)).map { $0 + start }
      try checkSpace()
    }
    guard start + received + Int64(bytes.count) <= limit else {
      throw Failure(.image, "what should be a list of checksums is larger than \(ByteCount(limit))")
    }
    try file.append(bytes)
    received += Int64(bytes.count)
    if stopwatch.elapsed - reported >= .milliseconds(250) { await report() }
  }

  func finish() async {
    file.close()
    if received > 0 { await report() }
  }

  private func report() async {
    reported = stopwatch.elapsed
    let rate = reported > .zero ? Double(received) / reported.seconds : nil
    await event(.progress(done: start + received, total: total, rate: rate))
  }

  private func checkSpace() throws {
    guard let total else { return }
    let free = try FileSystem.freeSpace(of: folder)
    let needed = total - start
    guard free < needed + reserve else { return }
    throw Failure(
      .host,
      "no space for a download of \(ByteCount(needed)): '\(folder)' has \(ByteCount(free)) free",
      hint: "free space, or choose another folder with --cache")
  }

  /// The length that the last of several answers (redirects) announced for what follows.
  private static func length(inHeaders text: String) -> Int64? {
    var length: Int64?
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("HTTP/") { length = nil }
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == "content-length" {
        length = Int64(parts[1].filter(\.isNumber))
      }
    }
    return length
  }
}
