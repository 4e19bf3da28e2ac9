import MusterGuest

extension GuestEnding {
  /// How it ended, in words.
  var text: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signaled(let signal): "ended by signal \(signal)"
    case .timedOut: "ended at its deadline"
    }
  }

  /// The exit status; -1 where there is none.
  var status: Int { if case .exited(let status) = self { status } else { -1 } }
}
