import MusterHost

/// How managers come to hosts with Linux, as hints.
package enum LinuxPackage {
  /// A snap; snapd is not everywhere.
  package static func snap(_ name: String) -> String {
    let command = "run 'sudo snap install \(name)'"
    return HostFacts.tool("snap") == nil ? "install snapd, and \(command)" : command
  }
}
