import MusterHost
import SystemPackage

/// The format of a disk image, told by its first bytes and by no program that would follow what the image points to.
enum DiskFormat: String, Sendable, Hashable {
  case qcow2
  case raw

  /// Looks at an image that may come from anywhere.
  ///
  /// A qcow2 image can name further files (a backing file, a data file), which QEMU would open: a hostile image could
  /// so show the host's files to a guest. Such an image is refused.
  /// - Throws: `Failure` that blames the image, or the host when the file cannot be read.
  static func ofFile(_ path: String) throws(Failure) -> DiskFormat {
    let head = try head(of: path)
    do {
      return try DiskFormat(head: head)
    } catch {
      throw Failure(.image, "'\(path)' \(error.reason)", hint: error.hint)
    }
  }

  /// Why an image is refused.
  struct Refusal: Error, Hashable {
    /// Follows the image's name: `is no disk image`.
    var reason: String
    var hint: String?
  }

  /// - Parameter head: The first bytes of the image; as many as a boot sector, a partition table and the superblock of a
  ///   file system need.
  init(head: [UInt8]) throws(Refusal) {
    if head.starts(with: [0x51, 0x46, 0x49, 0xFB]) {
      try Self.checkQCOW2(head)
      self = .qcow2
      return
    }
    for (signature, name) in Self.foreign where head.starts(with: signature.utf8) {
      throw Refusal(
        reason: "is a \(name) image, not qcow2 or raw", hint: "convert it: qemu-img convert -O qcow2 IMAGE NEW.qcow2")
    }
    guard Self.hasDiskSignature(head) else {
      let page = head.prefix(512).drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
      throw Refusal(
        reason: page.first == UInt8(ascii: "<")
          ? "is no disk image but a page of the web"
          : "is no disk image: neither qcow2 nor a disk with partitions or a file system")
    }
    self = .raw
  }

  private static let foreign = [
    ("KDMV", "VMDK"), ("vhdxfile", "VHDX"), ("conectix", "VHD"), ("<<< ", "VDI"), ("QED\0", "QED"),
    ("Xar!", "disk archive"),
  ]

  /// The header of qcow2, from QEMU's docs/interop/qcow2: numbers are big-endian.
  private static func checkQCOW2(_ head: [UInt8]) throws(Refusal) {
    guard head.count >= 104 else { throw Refusal(reason: "is cut off: a qcow2 image without its header") }
    let version = number(head, at: 4, count: 4)
    guard version == 2 || version == 3 else {
      throw Refusal(reason: "is a qcow2 image of the unknown version \(version)")
    }
    guard number(head, at: 8, count: 8) == 0 else {
      throw Refusal(
        reason: "has a backing file and is refused: it would be read from this host",
        hint: "make one image of the two: qemu-img convert -O qcow2 IMAGE NEW.qcow2")
    }
    guard number(head, at: 32, count: 4) == 0 else { throw Refusal(reason: "is encrypted") }
    // Bit 2 of the incompatible features of version 3.
    guard version == 2 || number(head, at: 72, count: 8) & 4 == 0 else {
      throw Refusal(
        reason: "has an external data file and is refused: it would be read from this host",
        hint: "make one image of the two: qemu-img convert -O qcow2 IMAGE NEW.qcow2")
    }
  }

  /// A boot sector, a GUID partition table, or ext4, XFS or btrfs on the bare disk.
  private static func hasDiskSignature(_ head: [UInt8]) -> Bool {
    func has(_ bytes: [UInt8], at offset: Int) -> Bool {
      head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes)
    }
    return has([0x55, 0xAA], at: 510) || has(Array("EFI PART".utf8), at: 512) || has(Array("EFI PART".utf8), at: 4096)
      || has([0x53, 0xEF], at: 0x438) || has(Array("XFSB".utf8), at: 0) || has(Array("_BHRfS_M".utf8), at: 0x10040)
  }

  private static func number(_ bytes: [UInt8], at offset: Int, count: Int) -> UInt64 {
    bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func head(of path: String) throws(Failure) -> [UInt8] {
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
      return try file.closeAfter {
        guard try file.stat().type == .regular else { throw Failure(.image, "'\(path)' is no regular file") }
        return unsafe try [UInt8](unsafeUninitializedCapacity: 0x11000) { buffer, count in
          unsafe count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(error, "read", path)
    }
  }
}
