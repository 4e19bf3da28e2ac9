import MusterCatalog
import MusterChannels
import MusterGuest
import MusterHost
import MusterMatrix

/// What came of the parts of an AppImage's step that no package manager does, when they fail.
extension Verdict {
  /// What the machine lacks for it is never the release's fault.
  static func ofPreparation(_ ending: GuestEnding, output: String, lastLines: [String], family: Family) -> Verdict {
    let reason = Reason(ofInstall: ending, output: output, family: family)
    // A package's name that is wrong is not the person's either.
    if !reason.evidence.isEmpty, reason.blame != .matrix { return .error(reason) }
    return .error(
      Reason(
        "the machine cannot be prepared: \(ending.text)", evidence: lastLines,
        hint: "'run: extracted' needs nothing of it", blame: .guest))
  }
}
