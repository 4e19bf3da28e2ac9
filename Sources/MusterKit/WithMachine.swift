import MusterExecution
import MusterHost
import MusterMachines

/// Makes a fresh virtual machine, hands it to `body` when it is ready, and purges it when `body` returns, throws or is
/// cancelled; and when this process dies, by whatever: then its guardian does. Several may be made at once, by tasks and by
/// processes; no two ever have the same name.
///
/// ```swift
/// try await withMachine("debian/12", prefix: "deploy-test") { machine in
///   try await machine.copy("build/greeter", to: "/usr/local/bin/", mode: 0o755)
///   let result = try await machine.run("greeter --version")
///   #expect(result.standardOutput == "greeter 1.2.0")
/// }
/// ```
///
/// - Parameters:
///   - image: What it starts from; made ready first where it is not there yet, which may take minutes.
///   - prefix: Tells what the machine is for; a part of its name.
///   - options: What the machine is given, and how long it may take.
///   - body: Uses the machine, which is gone when it has ended.
/// - Throws: `MachineError` when there is no machine, or when it is left; what `body` throws; `CancellationError`.
public func withMachine<Result>(
  _ image: MachineImage, prefix: String = "machine", options: MachineOptions = MachineOptions(),
  _ body: (Machine) async throws -> Result
) async throws -> Result {
  let session: MachineSession
  do {
    session = try await MachineSession.begin(prefix: prefix, options)
  } catch let error as CancellationError {
    throw error
  } catch {
    throw MachineError(error)
  }
  return try await ProcessTable.$run.withValue(session.id.text) {
    try await session.perform(image, body)
  }
}

extension MachineSession {
  fileprivate func perform<Result>(
    _ image: MachineImage, _ body: (Machine) async throws -> Result
  ) async throws -> Result {
    let machine: any MusterMachines.Machine
    do {
      machine = try await launch(image)
    } catch {
      await end(keepsLogs: true)
      if error is CancellationError { throw error }
      throw MachineError(error, logs: logs)
    }
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(try await body(Machine(machine: machine, run: id, logs: logs)))
    } catch {
      result = .failure(error)
    }
    let failure = await purge(machine)
    if case .success = result, failure == nil { await end(keepsLogs: false) } else { await end(keepsLogs: true) }
    if case .success = result, let failure { throw MachineError(failure, logs: logs) }
    return try result.get()
  }
}
