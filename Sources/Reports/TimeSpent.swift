import MusterExecution
import MusterMachines

/// Where the time of a run went.
package struct TimeSpent: Sendable, Hashable {
  /// What a run spends time on, in the order in which it comes to it.
  package enum Part: String, Sendable, CaseIterable {
    /// Steps on the host.
    case setup
    /// Downloading and building images.
    case images
    /// Launching machines that start from nothing, and launches that failed.
    case boot
    /// Launching machines that go on from a saved state.
    case resume
    case provision
    /// The lifecycle too.
    case verify
    case collect
    case purge
    /// Pauses before another try.
    case waiting
    /// What Muster itself took: all the rest.
    case muster
  }

  private var seconds: [Part: Double] = [:]

  package init() {}

  package internal(set) subscript(part: Part) -> Double {
    get { seconds[part] ?? 0 }
    set { seconds[part] = newValue }
  }

  /// `boot 1m 20s, provision 20s, muster 0.4s`: without what is nothing; `nil` where all is.
  var text: String? {
    let parts = Part.allCases.filter { self[$0] >= 0.05 }.map { "\($0.rawValue) \(human(self[$0]))" }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  fileprivate mutating func move(_ amount: Double, from part: Part, to other: Part) {
    let amount = min(amount, self[part])
    self[part] -= amount
    self[other] += amount
  }
}

/// Follows the events of a run, and counts each moment to what was being done in it: after each event the parts make up
/// the run's time so far.
struct TimeFold: Sendable {
  private var doing = TimeSpent.Part.muster
  /// The run's seconds at the last event.
  private var last = 0.0
  /// What is left of a pause.
  private var pause = 0.0
  /// What was counted as boot since it is not known how the machine comes to be that is being launched.
  private var launching = 0.0

  mutating func add(_ event: Event, to spent: inout TimeSpent) {
    let interval = max(0, event.elapsed - last)
    let waited = min(pause, interval)
    last += interval
    pause -= waited
    spent[.waiting] += waited
    spent[doing] += interval - waited
    launching += interval - waited
    switch event.kind {
    case .setupFinished(let step): spent.move(step.seconds, from: .muster, to: .setup)
    case .cellStarted: begin(.images)
    case .waiting(_, let seconds): pause = seconds
    case .launchRetried: launching = 0
    case .phaseStarted(_, _, let phase): begin(Self.part(of: phase))
    case .machineLaunched(_, _, let start):
      let part: TimeSpent.Part = start == .booted ? .boot : .resume
      // A further machine of the attempt is counted with the one before until it is known better.
      spent.move(launching, from: doing, to: part)
      begin(part)
    case .imageReady, .phaseFinished, .attemptStarted, .attemptFinished, .cellFinished: begin(.muster)
    default: break
    }
  }

  private mutating func begin(_ part: TimeSpent.Part) {
    doing = part
    launching = 0
    // What comes next has ended it, whatever it was to be.
    pause = 0
  }

  private static func part(of phase: PhaseName) -> TimeSpent.Part {
    switch phase {
    case .launch: .boot
    case .provision: .provision
    case .verify, .lifecycle: .verify
    case .collect: .collect
    case .purge: .purge
    }
  }
}
