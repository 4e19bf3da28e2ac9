import MusterHost
import MusterImages

/// The files that a machine runs on and never writes: its image, or the template that it went on from.
struct SharedFiles: Sendable {
  private struct File: Sendable {
    var path: String
    var identity: FileIdentity
    /// Of its data; `nil` where it is not known.
    var digest: Digest?
  }

  private let files: [File]

  init(of template: Template) {
    files = template.seal.files.map {
      File(path: template.path($0.path), identity: $0.identity, digest: $0.digest)
    }
  }

  /// - Throws: `Failure` when the image is gone.
  init(of image: ReadyImage) throws(Failure) {
    files = [File(path: image.disk, identity: try FileIdentity(of: image.disk))]
  }

  /// Why nothing counts that was seen in the machine, if somebody or something has written to one of them since. One that is
  /// gone, or replaced by another, stays what it was for whoever has it open.
  func damage() async -> Failure? {
    for file in files {
      guard let identity = try? FileIdentity(of: file.path), identity != file.identity,
        identity.isOfSameFile(as: file.identity)
      else { continue }
      if let digest = file.digest {
        guard let found = try? await Digest.ofData(file.path), found != digest else { continue }
      } else if identity.hasSameContentTime(as: file.identity) {
        continue
      }
      return Failure(
        .host, "'\(file.path)' was changed while the machine ran on it",
        hint: "see what else writes there, or whether the disk is sound; then run again", canPass: true)
    }
    return nil
  }
}
