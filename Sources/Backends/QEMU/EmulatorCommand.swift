import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages

/// All that is said to QEMU about a machine on its command line. Relative paths are seen from the folder QEMU runs in.
///
/// Only devices that migrate are used, so that a ready machine can be saved and resumed.
struct EmulatorCommand: Sendable, Hashable {
  enum Console: Sendable, Hashable {
    /// A file or named pipe.
    case file(String)
    case standardOutput
  }

  struct Disk: Sendable, Hashable {
    var path: String
    var format: String
    /// What is written goes to an unnamed temporary file.
    var isSnapshot = false
  }

  /// A file that the machine's memory is in.
  struct MemoryFile: Sendable, Hashable {
    var path: String
    /// Whether the file gets what the machine writes; else that stays with the machine.
    var isShared: Bool
  }

  var name: String
  /// Lowercase, with hyphens.
  var uuid: String
  var cpu: CPU
  var accelerator: Accelerator
  var cpus: Int
  /// Bytes.
  var memory: Int64
  var memoryFile: MemoryFile?
  /// The machine's state is loaded once the monitor asks for it.
  var isIncoming = false
  /// Whether QEMU may start processes, as it does to write a machine's state.
  var mayStartProcesses = false
  /// `nil` for a machine without one.
  var disk: Disk?
  var boot: ReadyImage.Boot
  /// For `boot` by UEFI: the code, and this machine's own variables.
  var firmware: Firmware?
  /// The folder whose files are the NoCloud seed.
  var seed: String?
  var console: Console
  /// The path of the monitor's pair of pipes, without `.in` and `.out`.
  var monitor: String?
  /// The network that it shares with others.
  var plug: NetworkPlug?
  /// How many lanes lead into it: the same for all, so that a machine has the same hardware whether it boots or resumes.
  var lanes = 0
  var hasSandbox = false
  /// End instead of restarting.
  var endsOnReboot = false

  /// The arguments behind the emulator's name.
  var arguments: [String] {
    var list = ["-nodefaults", "-no-user-config", "-display", "none", "-name", escaped(name), "-uuid", uuid]
    if hasSandbox { list += ["-sandbox", Installation.sandbox(spawning: mayStartProcesses)] }
    list += ["-machine", machine, "-accel", accelerator == .tcg ? "tcg,thread=multi" : accelerator.rawValue]
    list += ["-cpu", accelerator == .tcg ? "max" : "host"]
    let memory = "\((memory + (1 << 20) - 1) >> 20)M"
    list += ["-smp", "\(cpus)", "-m", memory]
    if let memoryFile {
      list += [
        "-object",
        "memory-backend-file,id=memory,size=\(memory),mem-path=\(escaped(memoryFile.path)),share="
          + (memoryFile.isShared ? "on" : "off"),
      ]
    }
    if isIncoming { list += ["-incoming", "defer"] }
    // A guest that panicked is left as it is, until its evidence has been read.
    list += ["-device", "pvpanic-pci", "-action", "panic=pause"]
    if endsOnReboot { list.append("-no-reboot") }
    // Nothing but what has a boot index is started from, so no network is tried.
    list += ["-boot", "strict=on"]
    list += firmwareArguments + consoleArguments + monitorArguments + diskArguments + seedArguments + networkArguments
    list += laneArguments
    list += ["-device", "virtio-rng-pci"]
    if case .kernel(let path, let initrd, let arguments) = boot {
      list += ["-kernel", path]
      if let initrd { list += ["-initrd", initrd] }
      list += ["-append", arguments]
    }
    return list
  }

  private var machine: String {
    var text = cpu == .x86_64 ? "q35" : "virt"
    // Without graphics SeaBIOS and boot loaders speak on the serial console, where they are heard.
    if cpu == .x86_64, boot == .disk(firmware: .bios) { text += ",graphics=off" }
    if memoryFile != nil { text += ",memory-backend=memory" }
    if firmware != nil { text += ",pflash0=code,pflash1=variables" }
    return text
  }

  private var firmwareArguments: [String] {
    guard let firmware else { return [] }
    return [
      "-blockdev", file(firmware.code.path, format: firmware.code.format, name: "code", options: "read-only=on"),
      "-blockdev", file(firmware.variables.path, format: firmware.variables.format, name: "variables"),
    ]
  }

  private var consoleArguments: [String] {
    switch console {
    case .file(let path): ["-chardev", "file,id=console,path=\(escaped(path))", "-serial", "chardev:console"]
    case .standardOutput: ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
    }
  }

  private var monitorArguments: [String] {
    guard let monitor else { return [] }
    return ["-chardev", "pipe,id=monitor,path=\(escaped(monitor))", "-mon", "chardev=monitor,mode=control"]
  }

  private var diskArguments: [String] {
    guard let disk else { return [] }
    let drive: [String]
    if disk.isSnapshot {
      // The one thing that -blockdev cannot do.
      drive = ["-drive", "if=none,id=disk,snapshot=on,format=\(disk.format),file=\(escaped(disk.path))"]
    } else {
      // The overlay is thrown away, so nobody needs it to survive the host: a guest's wish to have its writes on the
      // disk is heard and not obeyed, which makes package managers several times faster.
      drive = [
        "-blockdev",
        file(disk.path, format: disk.format, name: "disk", options: "discard=unmap,cache.direct=off,cache.no-flush=on"),
      ]
    }
    // QEMU starts a kernel of its own as the first of all.
    if case .kernel = boot { return drive + ["-device", "virtio-blk-pci,drive=disk"] }
    return drive + ["-device", "virtio-blk-pci,drive=disk,bootindex=0"]
  }

  private var seedArguments: [String] {
    guard let seed else { return [] }
    return [
      "-blockdev", "driver=vvfat,node-name=seed,dir=\(escaped(seed)),label=cidata,read-only=on",
      "-device", "virtio-blk-pci,drive=seed",
    ]
  }

  /// User-mode networking: the guest reaches what this host's user reaches, and nobody reaches the guest but by the one
  /// port of 127.0.0.1 that QEMU chooses itself.
  private var networkArguments: [String] {
    guard monitor != nil else { return [] }
    return [
      "-netdev", "user,id=network,ipv6=off,hostfwd=tcp:127.0.0.1:0-:22",
      "-device", "virtio-net-pci,netdev=network,romfile=",
    ] + (plug?.arguments ?? [])
  }

  /// Two ports for each lane: one that the guest reads jobs from and writes its output to, one for its error output.
  ///
  /// They have no names. QEMU has room for 32 messages to the guest's driver and loses what is more: with names, most of 30
  /// ports never learn that somebody is connected to them.
  private var laneArguments: [String] {
    guard monitor != nil, lanes > 0 else { return [] }
    // Port 0 is a console's.
    var list = ["-device", "virtio-serial-pci,id=lanes,max_ports=\(2 * lanes + 1)"]
    for (index, lane) in Lanes.names(lanes).enumerated() {
      let ports = [("out", "pipe", lane), ("err", "file", "\(lane).err")]
      for (number, (port, kind, path)) in ports.enumerated() {
        list += ["-chardev", "\(kind),id=\(lane)-\(port)-pipe,path=\(path)", "-device"]
        list.append(
          "virtserialport,bus=lanes.0,nr=\(2 * index + number + 1),chardev=\(lane)-\(port)-pipe,id=\(lane)-\(port)")
      }
    }
    return list
  }

  private func file(_ path: String, format: String, name: String, options: String? = nil) -> String {
    "driver=\(format),node-name=\(name),file.driver=file,file.filename=\(escaped(path))"
      + (options.map { ",\($0)" } ?? "")
  }

  /// In QEMU's options a comma is written twice.
  private func escaped(_ text: String) -> String {
    text.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
  }
}
