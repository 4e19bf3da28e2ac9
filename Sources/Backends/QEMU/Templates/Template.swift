/// A machine that was saved when it was ready for its first step, and that any number of others go on from. What they write
/// goes to overlays and to their own memory.
struct Template: Sendable {
  /// The absolute folder of its files.
  var folder: String
  var seal: TemplateSeal

  /// The names of its files.
  static let (diskName, memoryName, devicesName) = ("disk.qcow2", "memory", "devices")
  static let (variablesName, seedName, sealName) = ("variables", "seed", "seal")

  var disk: String { "\(folder)/\(Self.diskName)" }
  var memory: String { "\(folder)/\(Self.memoryName)" }
  var devices: String { "\(folder)/\(Self.devicesName)" }
  var variables: String { "\(folder)/\(Self.variablesName)" }
  var seed: String { "\(folder)/\(Self.seedName)" }
}
