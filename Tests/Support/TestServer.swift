import Foundation
import Glibc
import MusterHost
import Synchronization

/// A small HTTP server on 127.0.0.1 that can do what broken servers do. It serves until it is let go of.
package final class TestServer: Sendable {
  package struct Request: Sendable, Hashable {
    package var path: String
    /// The first byte that is asked for; `nil` for all.
    package var from: Int?
  }

  package struct Response: Sendable {
    package var status: Int
    package var headers: [String]
    package var body: [UInt8]
    /// Whether a part of the body can be asked for.
    package var hasRanges: Bool
    /// The bytes of the answer's body after which the connection is cut, or after which nothing comes any more.
    package var cutAfter: Int?
    package var stallsAfter: Int?

    package init(
      status: Int = 200, headers: [String] = [], body: [UInt8] = [], hasRanges: Bool = true, cutAfter: Int? = nil,
      stallsAfter: Int? = nil
    ) {
      (self.status, self.headers, self.body) = (status, headers, body)
      (self.hasRanges, self.cutAfter, self.stallsAfter) = (hasRanges, cutAfter, stallsAfter)
    }
  }

  private let listener: Int32
  private let answers: Mutex<[Request]> = Mutex([])
  private let isStopped = Mutex(false)
  package let port: UInt16

  /// All requests so far.
  package var requests: [Request] { answers.withLock(\.self) }

  /// - Parameter answer: Gets the request and how many came for the same path before.
  package init(_ answer: @escaping @Sendable (Request, Int) -> Response) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(listener, pointer, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    guard bound else { throw Failure(.host, "no port for a server") }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 {
          // Stopped; anything else passes, such as a process with as many files open as it may have.
          if errno == EINVAL || errno == EBADF { break }
          usleep(1000)
          continue
        }
        Thread.detachNewThread { [weak self] in
          self?.serve(connection, answer)
          // Ends it for curl even if a process that was started meanwhile has the descriptor too.
          shutdown(connection, Int32(SHUT_RDWR))
          close(connection)
        }
      }
      close(listener)
    }
  }

  deinit {
    stop()
  }

  /// From now on connections are refused.
  package func stop() {
    // Once: the descriptor is soon that of another server.
    let isFirst = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
  }

  package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  package func requests(of path: String) -> [Request] { requests.filter { $0.path == path } }

  private func serve(_ connection: Int32, _ answer: (Request, Int) -> Response) {
    guard let request = Self.read(connection) else { return }
    let earlier = answers.withLock { all in
      defer { all.append(request) }
      return all.count { $0.path == request.path }
    }
    let response = answer(request, earlier)
    var (status, body) = (response.status, response.body)
    var headers = response.headers
    if let from = request.from, response.hasRanges, status == 200 {
      if from >= body.count {
        (status, body) = (416, [])
      } else {
        headers.append("Content-Range: bytes \(from)-\(body.count - 1)/\(body.count)")
        (status, body) = (206, Array(body[from...]))
      }
    }
    headers += ["Content-Length: \(body.count)", "Connection: close"]
    send(connection, Array("HTTP/1.1 \(status) X\r\n\(headers.joined(separator: "\r\n"))\r\n\r\n".utf8))
    send(connection, Array(body.prefix(response.cutAfter ?? response.stallsAfter ?? body.count)))
    if response.stallsAfter != nil {
      // Until the other side has had enough.
      var byte: UInt8 = 0
      while unsafe recv(connection, &byte, 1, 0) > 0 {}
    }
  }

  private static func read(_ connection: Int32) -> Request? {
    var text = ""
    var byte: UInt8 = 0
    while !text.hasSuffix("\r\n\r\n") {
      guard unsafe recv(connection, &byte, 1, 0) == 1 else { return nil }
      text.unicodeScalars.append(Unicode.Scalar(byte))
    }
    let lines = text.components(separatedBy: "\r\n")
    let range = lines.first { $0.hasPrefix("Range: bytes=") }
    let from = range.flatMap { Int($0.dropFirst("Range: bytes=".count).prefix { $0.isNumber }) }
    return Request(path: String(lines[0].split(separator: " ")[1]), from: from)
  }

  private func send(_ connection: Int32, _ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = unsafe rest.withUnsafeBytes { buffer in
        unsafe Glibc.send(connection, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      rest = rest.dropFirst(sent)
    }
  }
}
