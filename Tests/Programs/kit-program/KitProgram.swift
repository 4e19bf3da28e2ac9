import Foundation
import MusterKit

/// A program that makes a machine by the library and holds it until it is killed, for the tests: `kit-program IMAGE MUSTER
/// CACHE STATE`. The image is a disk's path, or `lxd` for a container of Debian.
@main struct KitProgram {
  static func main() async throws {
    let arguments = CommandLine.arguments
    var options = MachineOptions()
    (options.cpus, options.memory, options.disk) = (1, 256 << 20, 256 << 20)
    (options.muster, options.cache, options.state) = (arguments[2], arguments[3], arguments[4])
    var image = MachineImage.file(arguments[1])
    if arguments[1] == "lxd" {
      options.disk = 2 << 30
      options.backends = ["lxd"]
      options.lxd.instance = .container
      image = .debootstrap("bookworm")
    }
    try await withMachine(image, prefix: "held", options: options) { machine in
      FileHandle.standardOutput.write(Data("ready \(machine.name)\n".utf8))
      try await machine.run("sleep 600", timeout: nil)
    }
  }
}
