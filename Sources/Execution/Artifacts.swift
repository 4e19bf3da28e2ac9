import MusterGuest
import MusterHost
import MusterMatrix

/// The files of a machine that are kept with an attempt.
struct Artifacts: Sendable {
  /// The attempt's absolute folder.
  let folder: String

  /// Puts what a step names below `artifacts`. A file that has its name already stays: the further one gets a number.
  func fetch(_ step: FetchStep, _ guest: any Guest, deadline: Duration? = nil) async throws -> Verdict {
    let incoming = try FileSystem.createTemporaryFolder("incoming", in: folder)
    defer { try? FileSystem.removeTree(incoming) }
    if try await guest.download(step.from, into: incoming, deadline: deadline).isEmpty {
      if step.optional { return .passed }
      let mismatch = Mismatch(subject: step.from, expected: "a file", actual: "no such file", location: nil)
      return .failed(Reason("'\(step.from)' does not exist in the machine"), mismatch)
    }
    let names = try FileSystem.names(in: incoming)
    for name in names {
      try FileSystem.move("\(incoming)/\(name)", to: try place(of: name, step, isOnly: names.count == 1))
    }
    return .passed
  }

  /// `to` is the name of a single file, and the folder of several.
  private func place(of name: String, _ step: FetchStep, isOnly: Bool) throws(Failure) -> String {
    var path = "\(folder)/artifacts/\(step.to ?? name)"
    if let to = step.to, to.hasSuffix("/") || !isOnly || step.from.contains(where: { "*?[".contains($0) }) {
      path += to.hasSuffix("/") ? name : "/\(name)"
    }
    try FileSystem.createFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    var free = path
    var number = 2
    while try FileSystem.information(free, followingLink: false) != nil {
      free = "\(path)-\(number)"
      number += 1
    }
    return free
  }
}
