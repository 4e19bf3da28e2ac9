import MusterCatalog
import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix

extension AttemptRun {
  /// After a failure, brings out what explains it: the journal, the package manager's log, and the files that steps
  /// would have fetched. As far as the machine still answers, within a limit of its own, and not when the run is ended.
  func collect(from members: [Member], after steps: Steps) async {
    switch steps.ending.outcome {
    case .failed, .timedOut, .error: break
    default: return
    }
    let members = members.filter { !steps.dead.contains($0.machine.name) }
    if members.isEmpty || steps.ending.endsRun || Task.isCancelled { return }
    let stopwatch = Stopwatch()
    await context.tell(.phaseStarted(cell: cell.name, attempt: number, phase: .collect))
    let limit = context.scale.time(context.options.pauses.collect)
    _ = await bounded(
      limit, hurried: .zero, after: context.interruption.interrupted, grace: .seconds(1)
    ) { () async -> Bool in
      for member in members {
        let guest = member.machine.guest
        var answers = true
        for log in GuestLog.all(of: plan.family) where answers && !Task.isCancelled {
          answers = await collect(log, from: guest, into: member.folder(in: folder))
        }
        // Whoever did not answer once is not asked again and again, with all patience.
        guard answers else { continue }
        for step in steps.unfetched where !Task.isCancelled && member.does(step) {
          guard case .fetch(let fetch) = step.action else { continue }
          // What an unfinished test did not make is not missing.
          _ = try? await Artifacts(folder: context.path(member.folder(in: folder))).fetch(fetch, guest, deadline: limit)
        }
      }
      return true
    }
    await context.tell(
      .phaseFinished(cell: cell.name, attempt: number, phase: .collect, seconds: stopwatch.elapsed.seconds))
  }

  /// - Returns: Whether the machine answered.
  private func collect(_ log: GuestLog, from guest: any Guest, into folder: String) async -> Bool {
    let name = "\(folder)/\(log.name).log"
    guard
      let file = try? StepLog(name, in: context.options.output, limit: plan.logLimit, mask: context.secrets.mask)
    else { return true }
    let command = GuestCommand(log.script, shell: ["sh"])
    let ending = try? await guest.run(command, deadline: context.scale.time(.seconds(20))) { stream, bytes in
      if stream == .stdout { try file.append(bytes, from: stream) }
    }
    let isEmpty = file.lastLines(1).isEmpty
    try? file.finish()
    if isEmpty { try? FileSystem.remove(context.path(name)) }
    return ending != nil || !isEmpty
  }
}

/// What a machine itself keeps of what happened in it.
struct GuestLog: Sendable {
  /// The file's name, without `.log`.
  var name: String
  var script: String

  static func all(of family: Family) -> [GuestLog] {
    let files =
      switch family {
      case .debian: "/var/log/apt/term.log /var/log/dpkg.log"
      case .fedora: "/var/log/dnf5.log /var/log/dnf.log /var/log/dnf.rpm.log /var/log/yum.log"
      case .suse: "/var/log/zypp/history /var/log/zypper.log"
      case .arch: "/var/log/pacman.log"
      case .alpine: "/var/log/apk.log"
      }
    return [
      GuestLog(
        name: "journal",
        script: """
          if command -v journalctl >/dev/null; then
            journalctl --no-pager -b -o short-precise -n 20000
          else
            cat /var/log/messages 2>/dev/null || dmesg
          fi
          """),
      GuestLog(
        name: "packages",
        script: """
          for file in \(files); do
            test -s "$file" || continue
            echo "==> $file"
            tail -c 1000000 "$file"
          done
          """),
    ]
  }
}
