import MusterGuest

/// What a command in a machine came to.
public struct CommandResult: Sendable, Hashable {
  /// How a command ends.
  public enum Ending: Sendable, Hashable, CustomStringConvertible {
    case exited(Int)
    /// By the signal of this number.
    case signaled(Int)
    /// It was ended because its time was over.
    case timedOut

    public var description: String {
      switch self {
      case .exited(let status): "exit status \(status)"
      case .signaled(let signal): "signal \(signal)"
      case .timedOut: "its time over"
      }
    }
  }

  public var ending: Ending
  /// As it was written, less one newline at its end; bytes that are no UTF-8 are replaced.
  public var standardOutput: String
  public var standardError: String

  public var isSuccess: Bool { ending == .exited(0) }

  init(_ ending: GuestEnding, standardOutput: [UInt8], standardError: [UInt8]) {
    self.ending =
      switch ending {
      case .exited(let status): .exited(status)
      case .signaled(let signal): .signaled(signal)
      case .timedOut: .timedOut
      }
    self.standardOutput = Self.text(of: standardOutput)
    self.standardError = Self.text(of: standardError)
  }

  private static func text(of bytes: [UInt8]) -> String {
    String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }
}
