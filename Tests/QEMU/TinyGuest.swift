import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import Testing

@testable import MusterQEMU

/// A folder of its own for a test, gone when the test is.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    path = try FileSystem.createTemporaryFolder("muster-qemu")
  }

  deinit {
    try? FileSystem.removeTree(path)
  }

  func folder(_ name: String) throws -> String {
    try FileSystem.createFolder("\(path)/\(name)")
    return "\(path)/\(name)"
  }
}

/// What tests make once and keep: `MUSTER_TEST_CACHE`, or a folder beside the build.
enum TestCache {
  static let folder =
    HostFacts.environment("MUSTER_TEST_CACHE")
    ?? "\(#filePath.part(before: "/Tests/QEMU/"))/.build/muster-test-cache"

  /// A folder that `make` fills the first time, whichever process comes first.
  static func folder(_ name: String, make: (String) async throws -> Void) async throws -> String {
    let path = "\(folder)/\(name)"
    try FileSystem.createFolder(folder)
    let lock = try await FileLock("\(path).lock").take(deadline: .seconds(600))
    defer { lock.release() }
    if FileSystem.isFolder(path) { return path }
    let temporary = try FileSystem.createTemporaryFolder("new", in: folder)
    do {
      try await make(temporary)
      try FileSystem.move(temporary, to: path)
    } catch {
      try? FileSystem.removeTree(temporary)
      throw error
    }
    return path
  }
}

extension String {
  fileprivate func part(before separator: String) -> String {
    guard let range = firstRange(of: separator) else { return self }
    return String(self[..<range.lowerBound])
  }
}

/// Runs a command that must succeed.
@discardableResult
func run(_ executable: String, _ arguments: [String], in folder: String? = nil) async throws -> String {
  let output = try await HostCommand(executable, arguments, directory: folder).run(deadline: .seconds(600))
  guard output.ending.isSuccess else {
    throw Failure(.host, "\(executable) \(arguments) ended with \(output.ending): \(output.errorText.suffix(2000))")
  }
  return output.text
}

/// A guest that is up in a few seconds without any acceleration: Debian's kernel, and an init of a few lines with
/// busybox. It has no network and no ssh server.
struct TinyGuest: Sendable {
  var kernel: String
  var initrd: String

  static func make() async throws -> TinyGuest {
    let folder = try await TestCache.folder("tiny") { folder in
      // The meta package names the kernel's own.
      let depends = try await run("apt-cache", ["depends", "--important", "linux-image-cloud-amd64"])
      let words = depends.split(whereSeparator: \.isWhitespace).map(String.init)
      let name = words.first { $0.hasPrefix("linux-image-") && $0.contains(".") }
      let kernel = try #require(name, "apt-cache knows no kernel; run 'apt-get update'")
      let download = "\(folder)/download"
      try FileSystem.createFolder(download)
      try await run("apt-get", ["download", "-q", kernel, "busybox-static"], in: download)
      for name in try FileSystem.names(in: download) {
        try await run("dpkg-deb", ["-x", "\(download)/\(name)", "\(download)/root"])
      }
      let image = try #require(try FileSystem.names(in: "\(download)/root/boot").first { $0.hasPrefix("vmlinuz-") })
      try FileSystem.move("\(download)/root/boot/\(image)", to: "\(folder)/vmlinuz")
      let busybox = try FileSystem.read("\(download)/root/bin/busybox")
      try FileSystem.write(archive(busybox: busybox), to: "\(folder)/initrd")
      try FileSystem.removeTree(download)
    }
    return TinyGuest(kernel: "\(folder)/vmlinuz", initrd: "\(folder)/initrd")
  }

  /// An image whose kernel gets `tiny=<action>`: see `initialProgram`.
  func image(_ action: String, disk: String) async throws -> ReadyImage {
    try await run("qemu-img", ["create", "-q", "-f", "qcow2", disk, "64M"])
    return ReadyImage(
      disk: disk, format: "qcow2", digest: "tiny",
      boot: .kernel(
        path: kernel, initrd: initrd, arguments: "console=ttyS0 quiet tiny=\(action)"), initialization: .builtIn)
  }

  private static let initialProgram = """
    #!/bin/busybox sh
    /bin/busybox mount -t proc proc /proc
    echo "tiny: up"
    case $(/bin/busybox cat /proc/cmdline) in
      *tiny=panic*) echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger ;;
      *tiny=off*) /bin/busybox poweroff -f ;;
      *tiny=emergency*) echo 'You are in emergency mode. After logging in, type "journalctl -xb" to view' ;;
      *tiny=flood*) /bin/busybox yes 'a line that never ends' | /bin/busybox head -c 400000 ;;
    esac
    while :; do /bin/busybox sleep 3600; done

    """

  private static func archive(busybox: [UInt8]) -> [UInt8] {
    var archive = Archive()
    for folder in ["bin", "dev", "proc"] { archive.add(folder, mode: 0o040755) }
    archive.add("dev/console", mode: 0o020600, device: (5, 1))
    archive.add("bin/busybox", mode: 0o100755, content: busybox)
    archive.add("init", mode: 0o100755, content: Array(initialProgram.utf8))
    archive.add("TRAILER!!!", mode: 0)
    return archive.bytes
  }
}

/// A cpio archive of the format that kernels unpack (`newc`).
private struct Archive {
  var bytes: [UInt8] = []
  private var count = 0

  mutating func add(_ name: String, mode: Int, content: [UInt8] = [], device: (Int, Int) = (0, 0)) {
    count += 1
    let fields = [
      count, mode, 0, 0, 1, 0, content.count, 0, 0, device.0, device.1, name.utf8.count + 1, 0,
    ]
    bytes += Array("070701".utf8)
    for field in fields {
      let digits = String(field, radix: 16)
      bytes += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    }
    bytes += Array(name.utf8) + [0]
    pad()
    bytes += content
    pad()
  }

  private mutating func pad() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }
}
