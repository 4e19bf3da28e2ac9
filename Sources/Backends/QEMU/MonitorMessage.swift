import MusterHost

/// What QEMU's monitor says: a line of QMP each.
enum MonitorMessage: Sendable, Hashable {
  case greeting(version: String)
  case reply(id: Int64, Result<JSONValue, MonitorError>)
  case event(MonitorEvent)

  /// `nil` for a line that is none of these.
  init?(line: some Sequence<UInt8>) {
    guard let value = JSONValue(line) else { return nil }
    if let greeting = value["QMP"] {
      let version = greeting["version"]?["qemu"]
      let numbers = ["major", "minor", "micro"].map { version?[$0]?.integer ?? 0 }
      self = .greeting(version: numbers.map(String.init).joined(separator: "."))
    } else if let name = value["event"]?.string {
      self = .event(MonitorEvent(name: name, data: value["data"] ?? .object([:])))
    } else if let id = value["id"]?.integer {
      if let result = value["return"] {
        self = .reply(id: id, .success(result))
      } else {
        self = .reply(id: id, .failure(MonitorError(message: value["error"]?["desc"]?.string ?? "no reason given")))
      }
    } else {
      return nil
    }
  }
}

/// Something that happened in QEMU: `SHUTDOWN`, `RESET`, `GUEST_PANICKED`, `BLOCK_IO_ERROR`, …
struct MonitorEvent: Sendable, Hashable {
  var name: String
  var data: JSONValue

  /// The id of a virtio-serial port that all in the guest have closed.
  var closedPort: String? {
    name == "VSERPORT_CHANGE" && data["open"]?.boolean == false ? data["id"]?.string : nil
  }
}

struct MonitorError: Error, Sendable, Hashable, CustomStringConvertible {
  var message: String
  var description: String { message }
}
