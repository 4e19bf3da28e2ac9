import MusterHost
import MusterMatrix
import SystemPackage

/// What a machine is given, and how long it may take.
public struct MachineOptions: Sendable {
  public var cpus = 2
  /// Bytes.
  public var memory: Int64 = 2 << 30
  /// Bytes. The image is grown to it, never shrunk.
  public var disk: Int64 = 10 << 30
  /// The backends that may make it, in order of preference: `qemu`, `multipass`, …; empty for any. It is the first that works
  /// here and can make a machine from the image.
  public var backends: [String] = []
  /// What is chosen of the machines of Incus, and of LXD.
  public var incus = IncusOptions()
  public var lxd = IncusOptions()
  /// How long it may take until the machine is ready; four times that where the CPU is emulated.
  public var launchTimeout = Duration.seconds(300)
  /// How often a launch is tried whose cause can pass.
  public var launchAttempts = 3
  /// The path of the `muster` command, which stands guard; `nil` to look in the variable `MUSTER`, and then in `PATH`.
  public var muster: String?
  /// The folders for images and for ledgers; `nil` for those of the `muster` command, which should see what is here.
  public var cache: String?
  public var state: String?
  /// Is told what is being waited for: a download, a build, a boot. As it is, that goes to standard error, a line each.
  public var progress: @Sendable (String) -> Void = { activity in
    try? Terminal.write("muster: \(activity)\n", to: .standardError)
  }

  public init() {}
}

/// What is chosen of the machines of Incus or LXD.
public struct IncusOptions: Sendable, Hashable {
  public enum Instance: Sendable, Hashable {
    case virtualMachine
    /// It shares its host's kernel.
    case container
  }

  public var instance = Instance.virtualMachine
  /// The project; `nil` for the one that the environment names (`INCUS_PROJECT`, `LXD_PROJECT`), or `default`.
  public var project: String?
  /// The server, by the name that the client has for it; `nil` for the one that the environment names, or `local`.
  public var remote: String?
  /// The member of a cluster; `nil` for the one that the cluster chooses.
  public var target: String?

  public init() {}

  var settings: BackendSettings {
    BackendSettings(
      instance: instance == .container ? .container : .virtualMachine, project: project, remote: remote, target: target)
  }
}
