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
  /// As it was written, less one newline at its end; bytes that are no UTF-8 are replaced. Of more than 16 MiB the first.
  public var standardOutput: String
  public var standardError: String
  /// Whether more was written than is kept of one of them.
  public var isCut: Bool

  public var isSuccess: Bool { ending == .exited(0) }

  init(_ ending: GuestEnding, _ written: Written) {
    self.ending =
      switch ending {
      case .exited(let status): .exited(status)
      case .signaled(let signal): .signaled(signal)
      case .timedOut: .timedOut
      }
    standardOutput = Self.text(of: written.out)
    standardError = Self.text(of: written.err)
    isCut = written.isCut
  }

  /// The first of what a command writes.
  struct Written {
    private(set) var (out, err): ([UInt8], [UInt8]) = ([], [])
    private(set) var isCut = false

    private static let limit = 16 << 20

    mutating func append(_ bytes: [UInt8], to stream: GuestStream) {
      let room = Self.limit - (stream == .stdout ? out.count : err.count)
      if bytes.count > room { isCut = true }
      switch stream {
      case .stdout: out += bytes.prefix(room)
      case .stderr: err += bytes.prefix(room)
      }
    }
  }

  private static func text(of bytes: [UInt8]) -> String {
    String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }
}
