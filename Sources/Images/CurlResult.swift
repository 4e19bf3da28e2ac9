import MusterHost

/// How curl ended, and what that means for a download. The numbers are of curl's manual page.
struct CurlResult: Sendable, Hashable {
  /// curl's exit status; `nil` when a signal ended it.
  var code: Int32?
  /// The HTTP status of the last answer; 0 when there was none.
  var status: Int
  /// curl's own words.
  var message: String

  /// Stands in front of the HTTP status on standard error.
  static let marker = "muster: http "

  init(ending: ProcessEnding, log: [String]) {
    if case .exited(let code) = ending { self.code = code }
    var lines = log
    status = lines.last { $0.hasPrefix(Self.marker) }.flatMap { Int($0.dropFirst(Self.marker.count)) } ?? 0
    lines.removeAll { $0.hasPrefix(Self.marker) }
    message = lines.last { $0.hasPrefix("curl: ") } ?? lines.last ?? "curl ended with \(ending)"
  }

  var isSuccess: Bool { code == 0 }

  /// - Parameter blame: Whose mistake a URL is that leads nowhere.
  func failure(_ url: String, blame: Blame) -> Failure {
    var failure = Failure(.mirror, "cannot download \(url): \(reason)", evidence: [message])
    switch code {
    case 22:
      // 408 and 429 ask for another try; what is above 500 is the server's own trouble.
      failure.canPass = status >= 500 || status == 408 || status == 429
      if !failure.canPass { failure.blame = blame }
    case 1, 3, 37, 47:
      failure.blame = blame
    case 23:
      failure.blame = .host
    case 60, 77,
      35 where status == 0 && isCertificate:
      failure.blame = .host
      failure.hint = "check the clock of this host and its certificates (ca-certificates)"
    default:
      failure.canPass = true
      if code == 6 || code == 7 { failure.hint = "check the network, or run with --offline to use what is there" }
    }
    return failure
  }

  private var isCertificate: Bool { message.contains("certificate") }

  private var reason: String {
    switch code {
    case 1: "only https, http and file are understood"
    case 3: "it is no URL"
    case 5: "the proxy's name cannot be resolved"
    case 6: "the server's name cannot be resolved"
    case 7: "the server cannot be connected to"
    case 18: "the connection broke in the middle"
    case 22: Self.reasons[status].map { "HTTP \(status), \($0)" } ?? "HTTP \(status)"
    case 28: "nothing came for too long"
    case 37: "there is no such file"
    case 47: "too many redirects"
    case 52: "the server answered nothing"
    case 60, 77: "the server's certificate is not trusted"
    case .some: "the connection failed"
    case nil: "curl was ended by a signal"
    }
  }

  private static let reasons = [
    401: "a password is asked for", 403: "forbidden", 404: "not found", 410: "gone", 429: "too many requests",
    500: "internal server error", 502: "bad gateway", 503: "service unavailable", 504: "gateway time-out",
  ]
}
