import MusterGuest
import MusterHost

/// One running QEMU: its process, its monitor, the console of its machine, and what these tell of the machine's life.
final class Emulator: Sendable {
  let process: RunningProcess
  let monitor: Monitor
  let console: Console
  let vitals: Vitals
  let lanes: Lanes
  /// The port of 127.0.0.1 behind which the machine's ssh server is.
  let port: UInt16

  private init(
    process: RunningProcess, monitor: Monitor, console: Console, vitals: Vitals, lanes: Lanes, port: UInt16
  ) {
    self.process = process
    self.monitor = monitor
    self.console = console
    self.vitals = vitals
    self.lanes = lanes
    self.port = port
  }

  /// How long QEMU itself may take to start or to end, whatever the machine does.
  static let patience = Duration.seconds(30)

  /// The number that QEMU has the file of a machine's state by.
  static let stateDescriptor = 3

  /// The names of the pipes in the workspace.
  static let (consoleName, monitorName) = ("console", "monitor")
  static let pipeNames = [consoleName, "\(monitorName).in", "\(monitorName).out"] + Lanes.pipeNames(Lanes.most)

  /// Starts QEMU in the folder `workspace`, and returns when its machine runs, or waits for the state that it is to go on from.
  /// Nothing runs when this throws.
  /// - Parameters:
  ///   - command: Its console is the file `console`, its monitor `monitor`.
  ///   - state: The file of the state that the machine is to go on from, for `resume`.
  ///   - logs: The folder of `console.log` and `qemu.log`.
  /// - Throws: `Failure`, `CancellationError`.
  static func start(
    _ command: EmulatorCommand, emulator: String, workspace: String, state: String? = nil, logs: String,
    line: @escaping @Sendable (String) -> Void
  ) async throws -> Emulator {
    let vitals = Vitals()
    let lanes = try Lanes(Lanes.names(command.lanes), in: workspace)
    let log = "\(logs)/qemu.log"
    // The console and the monitor are heard before QEMU runs, and tell each other's last words before they settle.
    let settling = Promise<@Sendable () async -> Void>()
    let settle: @Sendable () -> Void = {
      Task { await settling.value()?() }
    }
    let console = try Console(path: "\(workspace)/\(consoleName)", log: "\(logs)/console.log", line: line) {
      if vitals.hear($0, evidence: $1) { settle() }
    }
    let turning = Promise<@Sendable () async -> Void>()
    let monitor: Monitor
    do {
      monitor = try Monitor(path: "\(workspace)/\(monitorName)") { event in
        if let port = event.closedPort { lanes.portClosed(port) { await turning.current?() } }
        if vitals.hear(event) { settle() }
      }
    } catch {
      await console.close()
      throw error
    }
    turning.keep { [weak monitor] in await monitor?.waitForTurns() }
    settling.keep {
      await monitor.drain()
      await console.drain()
      vitals.settle(evidence: console.lastLines)
    }
    let process: RunningProcess
    do {
      var start = HostCommand(emulator, command.arguments, directory: workspace)
      if let state {
        // What QEMU has read it closes, and without a standard input it cannot start the process that saves a machine.
        start.executable = "sh"
        start.arguments = ["-c", "exec \"$@\" \(Self.stateDescriptor)<\"$0\"", state, emulator] + start.arguments
      }
      process = try await RunningProcess.start(start, log: log)
    } catch {
      await console.close()
      monitor.close()
      throw (error as? HostCommandError).map { Failure(.host, $0.description) } ?? error
    }
    Task {
      guard let ending = await process.ending() else { return }
      await monitor.drain()
      lanes.end()
      await console.close()
      vitals.hear(ending, messages: lastLines(of: log))
      vitals.settle(evidence: console.lastLines)
      monitor.close()
    }
    do {
      let port = try await connect(monitor, vitals: vitals)
      return Emulator(
        process: process, monitor: monitor, console: console, vitals: vitals, lanes: lanes, port: port)
    } catch {
      vitals.phase = .ending
      await process.terminate(grace: .zero)
      throw error
    }
  }

  /// Waits for the monitor and asks which port QEMU has chosen.
  private static func connect(_ monitor: Monitor, vitals: Vitals) async throws -> UInt16 {
    let answer: String?
    do {
      answer = try await first(within: patience) { () async throws -> String in
        guard await monitor.greeting.value() != nil else { throw CancellationError() }
        try await monitor.execute("qmp_capabilities")
        return try await monitor.execute("human-monitor-command", ["command-line": "info usernet"]).string ?? ""
      } or: {
        throw try await vitals.failure()
      }
    } catch let error as MonitorError {
      // The end of QEMU is told before its monitor is closed.
      throw (vitals.death.current ?? nil) ?? Failure(.backend, "QEMU's monitor does not answer: \(error)")
    }
    guard let answer else { throw Failure(.host, "QEMU did not start within \(patience.human)", canPass: true) }
    guard let port = forwardedPort(in: answer) else {
      throw Failure(
        .backend, "QEMU does not tell the port that it forwards to the machine",
        evidence: answer.split(whereSeparator: \.isNewline).map(String.init))
    }
    return port
  }

  /// The port in a line of `info usernet`:
  /// `TCP[HOST_FORWARD]  10       127.0.0.1 38049       10.0.2.15    22     0     0`.
  static func forwardedPort(in text: String) -> UInt16? {
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      if words.count > 5, words[0] == "TCP[HOST_FORWARD]", words[5] == "22" { return UInt16(words[3]) }
    }
    return nil
  }

  /// Ends QEMU, cancelled or not.
  /// - Parameter grace: How long it may take to close its disk in order.
  /// - Throws: `Failure` when it does not end.
  func end(grace: Duration = .zero) async throws(Failure) {
    vitals.phase = .ending
    let process = process
    Task { await process.terminate(grace: grace) }
    let ending = await uncancelled { try? await first(within: Self.patience) { await process.ending() } }
    guard ending ?? nil != nil else {
      throw Failure(
        .host, "QEMU (process \(process.processID)) does not end", hint: "run 'kill -9 \(process.processID)'")
    }
    await console.close()
    monitor.close()
    lanes.close()
  }

  /// The last lines of a file.
  private static func lastLines(of path: String) -> [String] {
    let lines = ((try? FileSystem.readText(path)) ?? "").split(whereSeparator: \.isNewline).map(String.init)
    return Array(lines.suffix(Console.evidenceLimit))
  }
}
