import ArgumentParser
import MusterHost
import MusterReports
import SystemPackage

/// The standard streams, for commands that report nothing else.
enum Console {
  /// Tells something on standard error, as `muster: …`.
  static func tell(_ message: String) {
    write("muster: \(message)\n", to: .standardError)
  }

  /// Writes text as it is, as far as the stream takes it.
  static func write(_ text: String, to stream: FileDescriptor = .standardOutput) {
    try? Terminal.write(text, to: stream)
  }

  /// Writes what the command was asked for. A reader that has gone away, such as `head`, has what it wanted.
  /// - Throws: `ExitCode`, once it was told that standard output does not take it.
  static func print(_ body: ((String) throws(Errno) -> Void) throws(Errno) -> Void) throws {
    do throws(Errno) {
      try body { text throws(Errno) in try Terminal.write(text, to: .standardOutput) }
    } catch .brokenPipe {
      throw ExitCode(0)
    } catch {
      tell("standard output cannot be written: \(error)")
      throw ExitCode(.reportNotWritten)
    }
  }
}
