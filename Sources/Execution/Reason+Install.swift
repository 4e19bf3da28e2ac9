import MusterCatalog
import MusterChannels
import MusterGuest
import MusterHost

extension Reason {
  /// Why the distro's own packages could not be installed: never the release's fault.
  init(ofInstall ending: GuestEnding, output: String, family: Family) {
    guard let sign = FailureSign.ofInstall(output, exit: ending.status, family: family) else {
      self.init("the packages could not be installed: \(ending.text)", blame: .guest)
      return
    }
    let (message, hint, blame): (String, String?, Blame) =
      switch sign.cause {
      case .diskFull: ("the machine's disk is full", "ask for more with 'resources: {disk: …}'", .guest)
      case .clock: ("the machine's clock is wrong", nil, .guest)
      case .signature: ("a signature is not accepted", "the image may be too old for its mirror's keys", .image)
      case .checksum: ("a download is not what its digest says", "try again later", .mirror)
      case .network: ("a mirror cannot be reached or is not in order", "try again later", .mirror)
      case .locked: ("another process holds the package manager's lock", nil, .guest)
      case .noSuchPackage: ("a package does not exist", "look for the name that this distro has for it", .matrix)
      case .prompt: ("a package asks a question", nil, .guest)
      case .architecture: ("a package is not for this architecture", nil, .matrix)
      case .conflict: ("two packages have the same file", nil, .matrix)
      case .scriptlet: ("a package's own script failed", nil, .guest)
      }
    self.init("\(message) (\(ending.text))", evidence: [sign.line], hint: hint, blame: blame)
  }
}
