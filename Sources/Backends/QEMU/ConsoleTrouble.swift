import MusterHost

/// A line of a console that tells that a machine will not become ready, or has died.
struct ConsoleTrouble: Sendable, Hashable {
  var blame: Blame
  /// What happened, as a lowercase fragment.
  var message: String
  /// Whether it also counts once the machine is ready: a step may print anything, and a shell that waits for a person is
  /// no end then.
  var isDeath = false
  /// Whether another launch may do better.
  var canPass = false

  /// The trouble that a line tells of.
  /// - Parameter isPrompt: Whether the line has not ended, so that it may be a prompt.
  init?(line: String, isPrompt: Bool = false) {
    // The reason of a panic is known when its line has ended.
    if !isPrompt, let panic = Self.panic(in: line) {
      self = panic
      return
    }
    let table = isPrompt ? Self.prompts : Self.sentences
    let text = isPrompt ? line.trimmingSpaces : line[...]
    guard let entry = table.first(where: { isPrompt ? text.hasSuffix($0.0) : text.contains($0.0) }) else { return nil }
    (blame, message) = (.image, entry.1)
  }

  private init(blame: Blame, message: String, isDeath: Bool, canPass: Bool = false) {
    (self.blame, self.message, self.isDeath, self.canPass) = (blame, message, isDeath, canPass)
  }

  /// Linux writes `Kernel panic - not syncing: <reason>`, with a time stamp before it or not.
  private static func panic(in line: String) -> ConsoleTrouble? {
    let marker = "Kernel panic - not syncing: "
    var text = line[...].drop { $0 == " " }
    if text.first == "[", let end = text.firstIndex(of: "]") { text = text[end...].dropFirst().drop { $0 == " " } }
    guard text.hasPrefix(marker) else { return nil }
    let reason = text.dropFirst(marker.count)
    if reason.contains("Unable to mount root") {
      return ConsoleTrouble(blame: .image, message: "the guest's kernel cannot mount its root disk", isDeath: true)
    }
    if reason.contains("No working init found") || reason.contains("Requested init") {
      return ConsoleTrouble(blame: .image, message: "the guest's kernel finds no init on its root disk", isDeath: true)
    }
    if reason.contains("timer doesn't work") {
      return ConsoleTrouble(
        blame: .host, message: "the host was too busy to give the guest's kernel its timer in time", isDeath: true,
        canPass: true)
    }
    return ConsoleTrouble(blame: .guest, message: "the guest's kernel panicked: \(reason)", isDeath: true)
  }

  private static let noRoot = "the guest cannot mount its root disk"
  private static let emergency = "the guest went into emergency mode"
  private static let noBoot = "the firmware finds nothing to boot on the image's disk"
  private static let noKernel = "the boot loader cannot load a kernel from the image's disk"

  /// What is told in the middle of a line, by whom.
  private static let sentences: [(String, String)] = [
    // initramfs-tools (Debian, Ubuntu)
    ("Gave up waiting for root file system device", noRoot), ("does not exist.  Dropping to a shell!", noRoot),
    ("No init found. Try passing init= bootarg", "the guest finds no init on its root disk"),
    // dracut (Fedora, openSUSE)
    ("Entering emergency mode. Exit the shell to continue", emergency),
    // mkinitcpio (Arch)
    ("You are now being dropped into an emergency shell", noRoot), ("Failed to mount the real root device", noRoot),
    // mkinitfs (Alpine)
    ("initramfs emergency recovery shell launched", noRoot),
    // systemd
    ("You are in emergency mode", emergency), ("You are in rescue mode", "the guest went into rescue mode"),
    ("Cannot open access to console, the root account is locked", emergency),
    // SeaBIOS, edk2
    ("No bootable device.", noBoot), ("No bootable option or device was found", noBoot),
    ("UEFI Interactive Shell v", noBoot),
    // GRUB, syslinux
    ("Entering rescue mode...", noKernel), ("error: you need to load the kernel first", noKernel),
    ("No DEFAULT or UI configuration directive found", noKernel),
  ]

  /// What waits for a person at the end of the output.
  private static let prompts: [(String, String)] = [
    ("(initramfs)", noRoot), ("grub rescue>", noKernel), ("grub>", noKernel), ("Shell>", noBoot),
    ("dracut:/#", emergency),
  ]
}

extension String {
  fileprivate var trimmingSpaces: Substring {
    var text = self[...].drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
