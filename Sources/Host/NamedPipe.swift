import Dispatch
import Synchronization
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A named pipe (FIFO) through which another process of this host talks to this one. Unlike a socket's, its path may
/// have any length, and the other process need not be waited for: what is written before it has opened its end stays.
///
/// It is open for reading and writing on this side, so that it never ends while the other side comes and goes.
package final class NamedPipe: Sendable {
  package let path: String
  private let descriptor: FileDescriptor
  private let queue: DispatchQueue
  private let state = Mutex(State())

  private struct State: ~Copyable {
    var source: (any DispatchSourceRead)?
    var reader: (@Sendable ([UInt8]) -> Void)?
    var waiting: [Int: Promise<Void>] = [:]
    var lastWait = 0
    var hasEnded = false
    var isClosed = false

    mutating func end() {
      hasEnded = true
      for wait in waiting.values { wait.keep(()) }
    }
  }

  /// Makes the pipe; only this user can open it.
  /// - Throws: `Failure`.
  package init(_ path: String) throws(Failure) {
    self.path = path
    guard unsafe mkfifo(path, 0o600) == 0 else { throw Failure(Errno(rawValue: errno), "create", path) }
    do {
      descriptor = try FileDescriptor.open(FilePath(path), .readWrite, options: [.nonBlocking, .closeOnExec])
    } catch {
      throw Failure(error, "open", path)
    }
    queue = DispatchQueue(label: "muster.pipe")
  }

  deinit {
    close()
  }

  /// Hands all that comes to `reader`, one call at a time. The other side waits while `reader` works, so what it writes
  /// costs no memory here. To be called once.
  package func read(_ reader: @escaping @Sendable ([UInt8]) -> Void) {
    let (descriptor, queue) = (descriptor, queue)
    state.withLock { state in
      let source = DispatchSource.makeReadSource(fileDescriptor: descriptor.rawValue, queue: queue)
      source.setEventHandler { @Sendable in Self.drain(descriptor, limit: 1 << 16, into: reader) }
      source.setCancelHandler { @Sendable in
        // What the other side wrote before it ended is heard, and no more than the pipe can hold.
        Self.drain(descriptor, limit: 1 << 20, into: reader)
        try? descriptor.close()
      }
      source.activate()
      state.source = source
      state.reader = reader
    }
  }

  /// Returns when all that has been written to the pipe until now was handed to the reader.
  package func drain() async {
    guard let reader = state.withLock({ $0.isClosed ? nil : $0.reader }) else { return }
    await withCheckedContinuation { continuation in
      queue.async { @Sendable [self] in
        // Closing waits its turn on the same queue, so the descriptor is still the pipe's.
        if !state.withLock({ $0.isClosed }) { Self.drain(descriptor, limit: 1 << 20, into: reader) }
        continuation.resume()
      }
    }
  }

  /// Writes bytes that fit into the pipe whole (a page at least).
  /// - Throws: `Failure` when the other side does not read.
  package func write(_ bytes: [UInt8]) throws(Failure) {
    do {
      try state.withLock { state in
        if state.isClosed { throw Errno.badFileDescriptor }
        _ = try descriptor.writeAll(bytes)
      }
    } catch {
      throw Failure(error, "write", path)
    }
  }

  /// Closes this side, after the reader was given what is there. The file remains.
  package func close() {
    state.withLock { state in
      if state.isClosed { return }
      state.isClosed = true
      state.reader = nil
      state.end()
      if let source = state.source {
        source.cancel()
        state.source = nil
      } else {
        try? descriptor.close()
      }
    }
  }

  private static func drain(_ descriptor: FileDescriptor, limit: Int, into reader: ([UInt8]) -> Void) {
    var left = limit
    while left > 0 {
      let size = min(left, 1 << 16)
      let bytes = unsafe try? [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        unsafe count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      guard let bytes, !bytes.isEmpty else { return }
      reader(bytes)
      left -= bytes.count
    }
  }
}

/// For one who takes the bytes when it wants them, in place of a reader: what it does not take yet keeps the other side
/// waiting.
extension NamedPipe {
  /// Takes what is there, 64 KiB at most; `nil` when that is nothing.
  package func take() -> [UInt8]? {
    state.withLock { state in
      if state.isClosed { return nil }
      let bytes = unsafe try? [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        unsafe count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      return bytes.flatMap { $0.isEmpty ? nil : $0 }
    }
  }

  /// Returns when there is something to take, when the other side has ended, and when the task is cancelled.
  package func waitForBytes() async {
    await wait { DispatchSource.makeReadSource(fileDescriptor: $0, queue: $1) }
  }

  /// Writes any number of bytes, waiting while the other side does not read. Returns whether all were written: not when
  /// the other side has ended or the task was cancelled before.
  package func send(_ bytes: [UInt8]) async -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let isOver = Task.isCancelled || hasEnded
      if isOver { return false }
      let written = state.withLock { state in
        state.isClosed ? nil : try? unsafe rest.withUnsafeBytes { unsafe try descriptor.write($0) }
      }
      if let written {
        rest = rest.dropFirst(written)
      } else {
        await wait { DispatchSource.makeWriteSource(fileDescriptor: $0, queue: $1) }
      }
    }
    return true
  }

  /// Tells that the other side writes and reads no more: whoever waits is woken, and nobody waits any more.
  package func end() {
    state.withLock { $0.end() }
  }

  /// Whether the other side has ended, or this one is closed. What it wrote before may still be there.
  package var hasEnded: Bool { state.withLock { $0.hasEnded } }

  private func wait(by makeSource: (_ descriptor: Int32, DispatchQueue) -> any DispatchSourceProtocol) async {
    let reached = Promise<Void>()
    let begun = state.withLock { state -> (id: Int, descriptor: Int32)? in
      if state.hasEnded { return nil }
      // A descriptor of its own, since the pipe may be closed meanwhile.
      let own = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
      guard own >= 0 else {
        state.end()
        return nil
      }
      state.lastWait += 1
      state.waiting[state.lastWait] = reached
      return (state.lastWait, own)
    }
    guard let begun else { return }
    let source = makeSource(begun.descriptor, queue)
    source.setEventHandler { @Sendable in reached.keep(()) }
    source.setCancelHandler { @Sendable in try? FileDescriptor(rawValue: begun.descriptor).close() }
    source.activate()
    _ = await reached.value()
    source.cancel()
    state.withLock { state in state.waiting[begun.id] = nil }
  }
}
