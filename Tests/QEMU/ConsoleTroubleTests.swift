import MusterHost
import Testing

@testable import MusterQEMU

@Suite struct ConsoleTroubleTests {
  /// The first trouble of a piece of a console, and the line that tells it.
  private func trouble(_ text: String) -> (trouble: ConsoleTrouble, line: String)? {
    var console = ConsoleText()
    for line in console.take(text.utf8) {
      if let trouble = ConsoleTrouble(line: line) { return (trouble, line) }
    }
    return ConsoleTrouble(line: console.unfinished, isPrompt: true).map { ($0, console.unfinished) }
  }

  @Test func aKernelWithoutItsRootDisk() throws {
    // Linux 6.1 of Debian 12.
    let text = """
      [    1.306185] /dev/root: Can't open blockdev\r
      [    1.306648] VFS: Cannot open root device "(null)" or unknown-block(0,0): error -6\r
      [    1.306788] Please append a correct "root=" boot option; here are the available partitions:\r
      [    1.307034] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r
      [    1.307264] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2\r

      """
    let found = try #require(trouble(text))
    #expect(found.trouble.blame == .image)
    #expect(found.trouble.message == "the guest's kernel cannot mount its root disk")
    #expect(found.trouble.isDeath)
    #expect(found.line.contains("Unable to mount root fs"))
  }

  @Test func aPanicIsTheGuests() throws {
    let found = try #require(trouble("[    3.1] Kernel panic - not syncing: sysrq triggered crash\r\n"))
    #expect(found.trouble.blame == .guest)
    #expect(found.trouble.message == "the guest's kernel panicked: sysrq triggered crash")
    #expect(trouble("Kernel panic - not syncing: Attempted to kill init!\n")?.trouble.isDeath == true)
  }

  @Test func aTimerThatComesLateIsTheHosts() throws {
    let found = try #require(
      trouble("Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.\n"))
    #expect(found.trouble.blame == .host)
    #expect(found.trouble.isDeath && found.trouble.canPass)
  }

  @Test func aPanicIsToldWhenItsReasonIsThere() {
    #expect(trouble("[    3.1] Kernel panic - not syncing: sysrq trig") == nil)
  }

  @Test func wordsAboutAPanicAreNone() {
    #expect(trouble("echo 'Kernel panic - not syncing: no' >> notes\n") == nil)
    #expect(trouble("[    0.5] Kernel command line: panic=-1 root=/dev/vda\n") == nil)
  }

  @Test(arguments: [
    // SeaBIOS 1.16.2
    "\u{1B}c\u{1B}[?7lSeaBIOS (version 1.16.2)\r\nBooting from Hard Disk...\r\nBoot failed: not a bootable disk\r\n\nNo bootable device.\r\n",
    // edk2 of Debian 12
    "BdsDxe: failed to load Boot0001 \"UEFI Misc Device\" from PciRoot(0x0)/Pci(0x1,0x0): Not Found\r\n\u{1B}[2J\u{1B}[01;01HUEFI Interactive Shell v2.2\r\n",
    // initramfs-tools of Debian 12
    "ALERT!  UUID=0b0b does not exist.  Dropping to a shell!\r\n",
    "\r\n\r\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)\r\nEnter 'help' for a list of built-in commands.\r\n\r\n(initramfs) ",
    "error: no such device: 6a3b.\r\nEntering rescue mode...\r\ngrub rescue> ",
    "Minimal BASH-like line editing is supported.\r\n\r\ngrub> ",
    "You are in emergency mode. After logging in, type \"journalctl -xb\" to view\r\n",
    "Cannot open access to console, the root account is locked.\r\n",
    "You are now being dropped into an emergency shell.\r\n",
  ])
  func theImagesFault(_ text: String) throws {
    let found = try #require(trouble(text))
    #expect(found.trouble.blame == .image)
    #expect(!found.trouble.isDeath)
  }

  @Test func anOrdinaryBootHasNone() {
    let text = """
      SeaBIOS (version 1.16.2-debian-1.16.2-1)\r
      Booting from Hard Disk...\r
      GRUB loading.\r
      Welcome to GRUB!\r
      BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0): Not Found\r
      error: no suitable video mode found.\r
      [    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)\r
      Begin: Running /scripts/local-premount ... done.\r
      [  OK  ] Reached target emergency.target.\r
      debian login: 
      """
    #expect(trouble(text) == nil)
  }
}
