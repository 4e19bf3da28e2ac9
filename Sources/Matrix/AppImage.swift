extension ChannelStep {
  /// A program in one file that runs without being installed.
  package struct AppImage: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
      /// An absolute path on the host, which is copied into the machine.
      case file(String)
      /// Where the machine downloads it from.
      case url(MaskedText)
    }

    /// How it comes to its own files, which are packed in it.
    package enum Run: String, Sendable, Hashable, CaseIterable {
      /// It mounts them by FUSE, as on a desktop.
      case mounted
      /// It extracts them each time, on a machine without FUSE.
      case extractAndRun = "extract-and-run"
      /// They were extracted once, and their `AppRun` is started.
      case extracted
    }

    package var place: Place
    /// What it is called in the machine.
    package var command: String
    package var run: Run
    /// In lowercase hexadecimal digits.
    package var sha256: String?

    package init(place: Place, command: String, run: Run = .mounted, sha256: String? = nil) {
      self.place = place
      self.command = command
      self.run = run
      self.sha256 = sha256
    }
  }
}
