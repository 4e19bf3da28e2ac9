/// What a person asks of a run beyond what the matrix says.
package struct RunOptions: Sendable {
  /// Which machines are not purged.
  package enum Keep: String, Sendable, CaseIterable {
    case never
    /// Those of cells that did not end as expected: their disk is kept.
    case failed
  }

  /// The absolute folder for everything that the run leaves; made if it is missing.
  package var output: String
  /// End the run after the first cell that did not end as expected.
  package var failFast = false
  package var keep = Keep.never
  /// How often a cell is tried, in place of what the matrix says.
  package var attempts: Int?
  /// Do the matrix's setup steps first.
  package var setup = false
  /// Start every machine as a computer starts, whatever the matrix says.
  package var cold = false
  /// Do all steps in each machine, also those whose work is kept.
  package var withoutCache = false
  package var pauses = Pauses()

  package init(output: String) {
    self.output = output
  }
}

/// How long the executor waits by itself: between tries, and for clean-up.
package struct Pauses: Sendable {
  /// Before the second launch, and doubled with each further one.
  package var launch: Duration = .seconds(2)
  /// Before the second attempt of a cell, and doubled with each further one.
  package var cell: Duration = .seconds(2)
  /// Before a mirror is asked again, and tripled with each further time.
  package var mirror: Duration = .seconds(5)
  /// How much longer than its deadline a launch may take to tell by itself why it is late.
  package var launchGrace: Duration = .seconds(20)
  /// How long a dying machine may take to be known as dead once it does not answer.
  package var death: Duration = .seconds(5)
  /// How long the collecting of logs may take, before the backend's factor.
  package var collect: Duration = .seconds(60)
  /// How long a purge may take, before the backend's factor; and after a signal, since CI systems kill what they asked to
  /// end soon after. What takes longer is left to the guardian.
  package var purge: Duration = .seconds(180)
  package var hurriedPurge: Duration = .seconds(3)

  package init() {}

  /// The pause before try number `count` + 1 of what was tried `count` times.
  static func growing(_ first: Duration, after count: Int, factor: Int = 2) -> Duration {
    var pause = first
    for _ in 1..<max(count, 1) where pause < .seconds(60) { pause *= factor }
    return min(pause, .seconds(60))
  }
}
