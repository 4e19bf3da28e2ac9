import MusterHost
import SystemPackage

/// The standard streams, for commands that report nothing else.
enum Console {
  /// Tells something on standard error, as `muster: …`.
  static func tell(_ message: String) {
    write("muster: \(message)\n", to: .standardError)
  }

  /// Writes text as it is. A reader that has gone away, such as `head`, is no error.
  static func write(_ text: String, to stream: FileDescriptor = .standardOutput) {
    try? Terminal.write(text, to: stream)
  }
}
