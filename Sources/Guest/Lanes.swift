package import MusterHost
import Synchronization

/// The lanes of a machine: shells that wait inside of it, each on ports that lead to pipes of this host, so that a job needs no
/// connection and no new shell. `LaneAgent` starts them.
///
/// A lane is used by one job only: what that leaves in the background may keep its streams, and so nothing can be mixed up.
package final class Lanes: Sendable {
  /// A virtio-serial device has ports for as many.
  package static let most = 15

  private let all: [Lane]
  private let state = Mutex(State())

  private struct State {
    var idle: ArraySlice<Lane> = []
    var areOver = false
  }

  /// Makes the pipes, named like their lanes, before there is anyone who opens their other ends.
  /// - Throws: `Failure`.
  package init(_ names: [String], in folder: String) throws(Failure) {
    var all: [Lane] = []
    for name in names { all.append(try Lane(name, in: folder)) }
    self.all = all
  }

  /// The names of so many lanes; none is the beginning of another.
  package static func names(_ count: Int) -> [String] {
    (0..<count).map { $0 < 9 ? "lane-0\($0 + 1)" : "lane-\($0 + 1)" }
  }

  /// The names of their pipes.
  package static func pipeNames(_ count: Int) -> [String] {
    names(count).flatMap { ["\($0).in", "\($0).out", "\($0).err"] }
  }

  var names: [String] { all.map(\.name) }

  /// How many wait for a job; `nil` when they were never armed, or are no more.
  var left: Int? {
    state.withLock { $0.idle.isEmpty ? nil : $0.idle.count }
  }

  /// Whether none will ever wait in the machine again.
  var areOver: Bool { state.withLock { $0.areOver } }

  /// Says that all of them wait in the machine.
  func arm() {
    state.withLock { if !$0.areOver { $0.idle = all[...] } }
  }

  /// Asks each whether it waits in the machine, and arms all if all do.
  func arm(within deadline: Duration) async -> Bool {
    let all = all
    let answer = await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        for lane in all {
          guard await lane.answers() else { return false }
        }
        return true
      }
      group.addTask {
        try? await Task.sleep(for: deadline, clock: .awake)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
    if answer { arm() }
    return answer
  }

  /// Says that none waits in the machine any more, and none will.
  func disarm() {
    state.withLock { $0 = State(areOver: true) }
  }

  /// One that nobody has used, and nobody else will.
  func take() -> Lane? {
    state.withLock { state in
      while let lane = state.idle.popFirst() {
        if !lane.isBroken { return lane }
      }
      return nil
    }
  }

  /// To be called when all in the machine have closed a port.
  /// - Parameters:
  ///   - id: `lane-03-out` or `lane-03-err`.
  ///   - settling: Returns when what was waiting for room in a pipe is in it.
  package func portClosed(_ id: String, settling: @escaping @Sendable () async -> Void) {
    for lane in all {
      switch id {
      case "\(lane.name)-out": lane.outputClosed(settling)
      case "\(lane.name)-err": lane.errorsClosed(settling)
      default: break
      }
    }
  }

  /// To be called when the machine has ended: what was written before is still read.
  package func end() {
    for lane in all {
      lane.outputClosed {}
      lane.errorsClosed {}
    }
  }

  /// To be called when nobody is interested in what was written either.
  package func close() {
    for lane in all { lane.close() }
  }
}

/// One shell that waits in a machine, and the pipes to it.
final class Lane: Sendable {
  let name: String
  private let input: NamedPipe
  private let output: NamedPipe
  private let errors: NamedPipe
  private let settling = Promise<@Sendable () async -> Void>()

  init(_ name: String, in folder: String) throws(Failure) {
    self.name = name
    input = try NamedPipe("\(folder)/\(name).in")
    output = try NamedPipe("\(folder)/\(name).out")
    errors = try NamedPipe("\(folder)/\(name).err")
  }

  /// Whether its shell is gone.
  var isBroken: Bool { output.hasEnded || errors.hasEnded }

  /// Whether its shell answers, which it does once: by the line that it is given.
  func answers() async -> Bool {
    guard await input.send([0x0A]) else { return false }
    return await next(of: output) == [0x0A]
  }

  /// The way of a job, which is the only one on this lane.
  func carriage(of job: GuestJob) -> JobCarriage {
    JobCarriage(run: { [self] handOn in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { [self] in _ = await input.send(job.bytes) }
        group.addTask { [self] in
          while let bytes = await next(of: output) { try await handOn(.stdout, bytes) }
        }
        group.addTask { [self] in
          while let bytes = await next(of: errors) { try await handOn(.stderr, bytes) }
        }
        // Unlike waitForAll this leaves at the first error.
        while let _ = try await group.next() {}
      }
      try Task.checkCancellation()
      return { _, hasBegun in
        GuestError(
          .unreachable,
          hasBegun
            ? "the connection to the machine was lost: the shell that ran the script is gone"
            : "the machine cannot be reached: the shell that waited in it is gone")
      }
    })
  }

  /// What comes next on a stream; `nil` when nothing more can.
  private func next(of pipe: NamedPipe) async -> [UInt8]? {
    while !Task.isCancelled {
      // Asked first: what comes before the end is not missed.
      let hasEnded = pipe.hasEnded
      if let bytes = pipe.take() { return bytes }
      if hasEnded {
        await settling.current?()
        return pipe.take()
      }
      await pipe.waitForBytes()
    }
    return nil
  }

  func outputClosed(_ settle: @escaping @Sendable () async -> Void) {
    settling.keep(settle)
    input.end()
    output.end()
  }

  func errorsClosed(_ settle: @escaping @Sendable () async -> Void) {
    settling.keep(settle)
    errors.end()
  }

  func close() {
    for pipe in [input, output, errors] { pipe.close() }
  }
}
