import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix

/// One of the machines of an attempt.
struct Member: Sendable {
  /// Its name in the matrix; `nil` where it is the only one.
  var name: String?
  var machine: any Machine
  /// What it is reached at by the others; empty where there are none.
  var address = ""

  /// Where its logs and artifacts are.
  func folder(in attempt: String) -> String { attempt + (name.map { "/\($0)" } ?? "") }

  /// Whether a step is done in it.
  func does(_ step: Step) -> Bool { step.machine == nil || step.machine == name }

  /// The step as it is done in it: its title says where, and the addresses of all machines are known.
  func own(_ step: Step, among members: [Member]) -> Step {
    guard let name else { return step }
    var own = step.addressed { machine in members.first { $0.name == machine }?.address ?? "" }
    own.title += " (\(name))"
    return own
  }
}

extension AttemptRun {
  /// What came of the launches.
  struct Launch: Sendable {
    /// The machines that are there, which must be ended in any case.
    var members: [Member] = []
    /// Why some machine is not; `nil` when all are ready.
    var failure: Ending?
    /// The name of the first machine, or of the one that is not there.
    var name: MachineName
  }

  /// - Parameter machine: Its name in the matrix, where there are several.
  func newName(_ machine: String?) -> MachineName {
    MachineName(
      test: plan.test + (machine.map { "-\($0)" } ?? ""), seconds: Int(Timestamp.now.milliseconds / 1000),
      processID: HostFacts.processID, limit: context.backend.nameLimit)
  }

  /// Launches all machines, one after the other, and makes them known to each other.
  /// - Parameter name: Of the first.
  func launch(_ name: MachineName) async -> Launch {
    let stopwatch = Stopwatch()
    await context.tell(.phaseStarted(cell: cell.name, attempt: number, phase: .launch))
    var launch = Launch(name: name)
    if plan.machines.isEmpty {
      let launched = await LaunchRun(attempt: self, resources: plan.resources, place: nil).perform(name)
      launch.take(launched, named: nil)
    } else {
      await launchAll(&launch)
    }
    await context.tell(
      .phaseFinished(cell: cell.name, attempt: number, phase: .launch, seconds: stopwatch.elapsed.seconds))
    return launch
  }

  private func launchAll(_ launch: inout Launch) async {
    var folder: String?
    for (index, machine) in plan.machines.enumerated() {
      let place = LaunchRun.Place(name: machine.name, index: index, count: plan.machines.count, folder: folder)
      let launched = await LaunchRun(attempt: self, resources: machine.resources, place: place)
        .perform(index == 0 ? launch.name : newName(machine.name))
      launch.take(launched, named: machine.name)
      if launch.failure != nil { return }
      folder = folder ?? launched.workspace
    }
    do {
      try await introduce(&launch.members)
    } catch {
      launch.failure =
        Task.isCancelled
        ? .cancelled
        : Ending(
          outcome: .error,
          reason: Reason(
            error as? Failure ?? Failure(.guest, "the machines cannot be made known to each other: \(error)")),
          canPass: true)
    }
  }

  private func introduce(_ members: inout [Member]) async throws {
    for index in members.indices { members[index].address = try await members[index].machine.address() }
    for member in members { try await tellNames(of: members, to: member) }
  }

  /// After a restart: some machines make the file with the names anew, and some have another address.
  /// - Throws: `Failure`, `CancellationError`.
  func introduceAgain(_ index: Int, among members: inout [Member]) async throws {
    let address = try await members[index].machine.address()
    let isNew = address != members[index].address
    members[index].address = address
    for member in isNew ? members : [members[index]] { try await tellNames(of: members, to: member) }
  }

  /// A machine gets the names of all, by which it reaches them.
  private func tellNames(of members: [Member], to member: Member) async throws {
    let lines = members.map { "echo '\($0.address) \($0.name ?? "") # muster'" }.joined(separator: "\n  ")
    let script = """
      sed '/ # muster$/d' /etc/hosts >/etc/hosts.muster 2>/dev/null || :
      {
        cat /etc/hosts.muster
        \(lines)
      } >/etc/hosts
      rm -f /etc/hosts.muster
      """
    do {
      let ending = try await member.machine.guest.run(GuestCommand(script), deadline: .seconds(120)) { _, _ in }
      guard ending == .exited(0) else {
        throw Failure(.guest, "'\(member.machine.name)' does not take the names of the others into its /etc/hosts")
      }
    } catch let error as GuestError {
      throw await member.machine.trouble(after: error)
        ?? Failure(.guest, "'\(member.machine.name)' is not told of the others: \(error.message)")
    }
  }
}

extension AttemptRun.Launch {
  fileprivate mutating func take(_ launched: LaunchRun.Launched, named name: String?) {
    switch launched.result {
    case .success(let machine):
      if members.isEmpty { self.name = launched.name }
      members.append(Member(name: name, machine: machine))
    case .failure(let failure):
      self.name = launched.name
      self.failure = failure.ending
    }
  }
}
