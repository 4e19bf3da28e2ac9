package import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// When text is coloured.
package enum ColorChoice: String, Sendable, CaseIterable {
  case auto
  case always
  case never

  /// Whether a stream is coloured. What was asked for comes first, then `NO_COLOR` (no-color.org), then
  /// `CLICOLOR_FORCE` (bixense.com/clicolors), then whether the stream is a terminal that knows colours.
  package func isColored(isTerminal: Bool, environment: (String) -> String?) -> Bool {
    switch self {
    case .always: return true
    case .never: return false
    case .auto:
      if let value = environment("NO_COLOR"), !value.isEmpty { return false }
      if let value = environment("CLICOLOR_FORCE"), !value.isEmpty, value != "0" { return true }
      return isTerminal && Terminal.isCapable(environment("TERM"))
    }
  }
}

/// The terminals that the standard streams may be.
package enum Terminal {
  /// Makes sure that there are standard streams: whoever starts a program without one would have the first file that it
  /// opens in its place, and what is printed in that file.
  package static func openStandardStreams() {
    for number in 0...2 as ClosedRange<Int32> where fcntl(number, F_GETFD) < 0 && errno == EBADF {
      // The lowest number that is free.
      _ = unsafe open("/dev/null", O_RDWR)
    }
  }

  package static func isTerminal(_ stream: FileDescriptor) -> Bool {
    isatty(stream.rawValue) == 1
  }

  /// Whether a terminal of this kind (the value of `TERM`) knows colours and can move its cursor.
  package static func isCapable(_ kind: String?) -> Bool {
    guard let kind else { return false }
    return !kind.isEmpty && kind != "dumb"
  }

  /// How wide the terminal is just now; `nil` where it is none or does not tell.
  package static func columns(of stream: FileDescriptor) -> Int? {
    var size = winsize()
    guard unsafe ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Writes all of the text, waiting where the stream is full: somebody else may have made a terminal non-blocking.
  package static func write(_ text: String, to stream: FileDescriptor) throws(Errno) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      do {
        let count = unsafe try bytes.withUnsafeBytes { unsafe try stream.write($0) }
        bytes = bytes.dropFirst(count)
      } catch Errno.resourceTemporarilyUnavailable {
        var wait = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&wait, 1, -1)
      } catch {
        throw error as? Errno ?? .ioError
      }
    }
  }
}
