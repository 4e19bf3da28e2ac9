import MusterHost

/// The disks of machines, made by qemu-img.
struct DiskTool: Sendable {
  /// The absolute path of `qemu-img`.
  var path: String

  /// Makes an overlay: a new disk that reads what it has not been given itself from an image, which stays as it is.
  /// - Parameter size: Bytes; an image that is larger keeps its own size, as does each without this.
  /// - Throws: `Failure`, `CancellationError`.
  func makeOverlay(_ overlay: String, of image: String, format: String, size: Int64? = nil) async throws {
    var arguments = ["create", "-q", "-f", "qcow2", "-b", image, "-F", format, overlay]
    if let size { arguments.append("\(max(try await virtualSize(of: image, format: format), size))") }
    try await run(arguments, "cannot make a disk from the image '\(image)'")
  }

  /// Lets an overlay read from another image, and stay the disk that it is.
  /// - Throws: `Failure`, `CancellationError`.
  func rebase(_ overlay: String, to image: String, format: String) async throws {
    try await run(
      ["rebase", "-q", "-f", "qcow2", "-b", image, "-F", format, overlay], "cannot keep the disk '\(overlay)'")
  }

  /// The size that a guest sees, in bytes.
  /// - Throws: `Failure`, `CancellationError`.
  func virtualSize(of image: String, format: String) async throws -> Int64 {
    let output = try await run(
      ["info", "--output", "json", "-U", "-f", format, image], "cannot read the image '\(image)'")
    guard let size = JSONValue(output.stdout)?["virtual-size"]?.integer else {
      throw Failure(.image, "the image '\(image)' has no size")
    }
    return size
  }

  /// The absolute path of the disk that an overlay reads from, which may be in use, or gone; `nil` for what reads from none.
  /// - Throws: `Failure`, `CancellationError`.
  func base(of overlay: String) async throws -> String? {
    let output = try await run(
      ["info", "--output", "json", "-U", "-f", "qcow2", overlay], "cannot read the disk '\(overlay)'")
    return JSONValue(output.stdout)?["full-backing-filename"]?.string
  }

  @discardableResult
  private func run(_ arguments: [String], _ message: String) async throws -> ProcessOutput {
    let output: ProcessOutput
    do {
      output = try await HostCommand(path, arguments).run(deadline: .seconds(60))
    } catch let error as HostCommandError {
      throw Failure(.host, "\(message): \(error)")
    }
    if output.ending.isSuccess { return output }
    let lines = output.errorText.split(separator: "\n").map(String.init)
    if lines.contains(where: { $0.contains("No space left on device") }) {
      throw Failure(.host, "disk full: \(message)", evidence: lines, hint: "free space and run again")
    }
    let isHost = lines.contains { $0.contains("Permission denied") || $0.contains("Could not create") }
    throw Failure(isHost ? .host : .image, message, evidence: lines)
  }
}
