import Dispatch
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A TCP connection to a port of this host's own address 127.0.0.1.
package enum LoopbackConnection {
  /// Connects and waits for the first bytes that the other side sends by itself, such as a server's banner; `nil` when
  /// it refuses or ends the connection, or when the task is cancelled.
  package static func firstBytes(port: UInt16, limit: Int = 64) async -> [UInt8]? {
    guard let descriptor = connect(port: port) else { return nil }
    let bytes = Promise<[UInt8]?>()
    let source = DispatchSource.makeReadSource(
      fileDescriptor: descriptor.rawValue, queue: DispatchQueue(label: "muster.connection"))
    source.setEventHandler { @Sendable in
      let read = unsafe try? [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        unsafe count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      bytes.keep(read.flatMap { $0.isEmpty ? nil : $0 })
    }
    source.setCancelHandler { @Sendable in try? descriptor.close() }
    source.activate()
    defer { source.cancel() }
    return await bytes.value() ?? nil
  }

  private static func connect(port: UInt16) -> FileDescriptor? {
    #if canImport(Darwin)
      let stream = SOCK_STREAM
    #else
      let stream = Int32(SOCK_STREAM.rawValue)
    #endif
    let number = socket(AF_INET, stream, 0)
    guard number >= 0 else { return nil }
    let descriptor = FileDescriptor(rawValue: number)
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    // A connection to this host itself is made or refused at once.
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        #if canImport(Darwin)
          unsafe Darwin.connect(number, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        #else
          unsafe Glibc.connect(number, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        #endif
      }
    }
    guard result == 0 else {
      try? descriptor.close()
      return nil
    }
    return descriptor
  }
}
