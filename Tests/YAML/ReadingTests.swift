import MusterDiagnostics
import SystemPackage
import Testing

@testable import MusterYAML

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct ReadingTests {
  @Test func `reads a file without its byte order mark`() throws {
    try withFolder { folder in
      let path = folder.appending("matrix.yaml").string
      try write([0xEF, 0xBB, 0xBF] + Array("a: b\n".utf8), to: path)
      let file = try SourceFile.read(path, shownAs: "matrix.yaml")
      #expect(file.path == "matrix.yaml")
      #expect(file.bytes == Array("a: b\n".utf8))
    }
  }

  @Test func `reads an empty file`() throws {
    try withFolder { folder in
      let path = folder.appending("matrix.yaml").string
      try write([], to: path)
      #expect(try SourceFile.read(path).bytes.isEmpty)
    }
  }

  @Test func `tells a missing file from one that cannot be read`() throws {
    try withFolder { folder in
      let file = folder.appending("file").string
      try write([], to: file)
      #expect(failure(folder.appending("none.yaml").string)?.reason == .missing)
      #expect(failure(file + "/none.yaml")?.reason == .missing)
      #expect(failure("")?.reason == .missing)
      let loop = folder.appending("loop").string
      #expect(unsafe symlink("loop", loop) == 0)
      #expect(failure(loop)?.reason == .unreadable)
    }
  }

  @Test func `does not wait for a pipe`() throws {
    try withFolder { folder in
      let path = folder.appending("pipe").string
      #expect(unsafe mkfifo(path, 0o600) == 0)
      let error = failure(path)
      #expect(error?.reason == .notRegular)
      #expect(error?.message == "this is a pipe, not a file")
    }
  }

  @Test(arguments: [("/", "this is a folder, not a file"), ("/dev/null", "this is a device, not a file")])
  func `says what is there instead of a file`(path: String, message: String) throws {
    let error = failure(path)
    #expect(error?.reason == .notRegular)
    #expect(error?.message == message)
    #expect(
      DiagnosticRenderer().render([try #require(error).diagnostic])
        == "\(path): error: \(message)\nhint: give a YAML file\n")
  }

  @Test func `does not read more than the limit`() throws {
    try withFolder { folder in
      let path = folder.appending("large.yaml").string
      try write([], to: path)
      #expect(unsafe truncate(path, 64 << 20) == 0)
      #expect(try SourceFile.read(path).bytes.count == 64 << 20)
      #expect(unsafe truncate(path, (64 << 20) + 1) == 0)
      let error = failure(path)
      #expect(error?.reason == .tooLarge)
      #expect(error?.message == "the file is larger than 64 MiB")
    }
  }

  private func failure(_ path: String) -> SourceFileError? {
    do {
      _ = try SourceFile.read(path)
      return nil
    } catch {
      return error
    }
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = try FileDescriptor.open(
      FilePath(path), .writeOnly, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite])
    try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
  }

  /// A folder that is gone afterwards, with the files in it.
  private func withFolder(_ body: (FilePath) throws -> Void) throws {
    let name = "muster-yaml-tests-\(getpid())-\(UInt64.random(in: .min ... .max))"
    let folder = FilePath("/tmp").appending(name)
    #expect(unsafe mkdir(folder.string, 0o700) == 0)
    defer {
      for file in ["matrix.yaml", "file", "loop", "pipe", "large.yaml"] { unsafe unlink(folder.appending(file).string) }
      #expect(unsafe rmdir(folder.string) == 0)
    }
    try body(folder)
  }
}
