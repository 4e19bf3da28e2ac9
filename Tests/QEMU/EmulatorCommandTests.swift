import MusterCatalog
import MusterHost
import MusterImages
import Testing

@testable import MusterQEMU

@Suite struct EmulatorCommandTests {
  private let command = EmulatorCommand(
    name: "muster-a-1-2-abcdef", uuid: "0c9a2f6e-0000-4000-8000-000000000001", cpu: .x86_64, accelerator: .tcg, cpus: 2,
    memory: 1 << 30, disk: EmulatorCommand.Disk(path: "disk.qcow2", format: "qcow2"),
    boot: .kernel(path: "/cache/vmlinuz", initrd: nil, arguments: "root=/dev/vda console=ttyS0"),
    console: .file("console"), monitor: "monitor")

  @Test func aMachineWithItsOwnKernel() {
    #expect(
      command.arguments.joined(separator: " ") == """
        -nodefaults -no-user-config -display none -name muster-a-1-2-abcdef -uuid 0c9a2f6e-0000-4000-8000-000000000001 \
        -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024M -device pvpanic-pci -action panic=pause \
        -boot strict=on -chardev file,id=console,path=console -serial chardev:console \
        -chardev pipe,id=monitor,path=monitor -mon chardev=monitor,mode=control \
        -blockdev driver=qcow2,node-name=disk,file.driver=file,file.filename=disk.qcow2,discard=unmap,cache.direct=off,\
        cache.no-flush=on -device virtio-blk-pci,drive=disk \
        -netdev user,id=network,ipv6=off,hostfwd=tcp:127.0.0.1:0-:22 -device virtio-net-pci,netdev=network,romfile= \
        -device virtio-rng-pci -kernel /cache/vmlinuz -append root=/dev/vda console=ttyS0
        """)
  }

  @Test func anImageThatStartsByUEFIWithASeed() {
    var command = command
    command.boot = .disk(firmware: .uefi)
    command.accelerator = .kvm
    command.hasSandbox = true
    command.seed = "seed"
    command.firmware = Firmware(
      code: Firmware.Flash(path: "/usr/share/OVMF/OVMF_CODE_4M.fd", format: "raw"),
      variables: Firmware.Flash(path: "variables", format: "raw"))
    let text = command.arguments.joined(separator: " ")
    #expect(text.contains("-machine q35,pflash0=code,pflash1=variables -accel kvm -cpu host "))
    #expect(text.contains("node-name=code,file.driver=file,file.filename=/usr/share/OVMF/OVMF_CODE_4M.fd,read-only=on"))
    #expect(text.contains("driver=vvfat,node-name=seed,dir=seed,label=cidata,read-only=on"))
    #expect(text.contains("-sandbox on,"))
    #expect(text.contains("-device virtio-blk-pci,drive=disk,bootindex=0"))
    #expect(!text.contains("-kernel"))
  }

  @Test func nothingListensButOnTheHostItself() {
    for argument in command.arguments where argument.contains("hostfwd") {
      #expect(argument.contains("hostfwd=tcp:127.0.0.1:0-:22"))
    }
    #expect(!command.arguments.contains { $0.contains("0.0.0.0") || $0.hasPrefix("-vnc") || $0 == "-nic" })
  }

  @Test func twoPortsForEachLane() {
    var command = command
    command.lanes = 2
    let text = command.arguments.joined(separator: " ")
    #expect(
      text.contains(
        """
        -device virtio-serial-pci,id=lanes,max_ports=5 \
        -chardev pipe,id=lane-01-out-pipe,path=lane-01 \
        -device virtserialport,bus=lanes.0,nr=1,chardev=lane-01-out-pipe,id=lane-01-out \
        -chardev file,id=lane-01-err-pipe,path=lane-01.err \
        -device virtserialport,bus=lanes.0,nr=2,chardev=lane-01-err-pipe,id=lane-01-err \
        -chardev pipe,id=lane-02-out-pipe,path=lane-02 \
        -device virtserialport,bus=lanes.0,nr=3,chardev=lane-02-out-pipe,id=lane-02-out \
        -chardev file,id=lane-02-err-pipe,path=lane-02.err \
        -device virtserialport,bus=lanes.0,nr=4,chardev=lane-02-err-pipe,id=lane-02-err
        """))
    command.monitor = nil
    #expect(!command.arguments.joined(separator: " ").contains("lane"))
  }

  @Test func anOtherCPU() {
    var command = command
    command.cpu = .arm64
    #expect(command.arguments.joined(separator: " ").contains("-machine virt -accel tcg,thread=multi -cpu max"))
  }

  @Test func commasOfNamesAreEscaped() {
    var command = command
    command.disk?.path = "/a,b/disk.qcow2"
    #expect(command.arguments.contains { $0.contains("file.filename=/a,,b/disk.qcow2,") })
  }

  /// The port is QEMU 7.2's answer as it came.
  @Test func theForwardedPort() {
    let text =
      "Hub -1 (net0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n"
      + "  TCP[ESTABLISHED]  11       10.0.2.15 40000       10.0.2.15    22     0     0\r\n"
      + "  TCP[HOST_FORWARD]  10       127.0.0.1 38049       10.0.2.15    22     0     0\r\n"
    #expect(Emulator.forwardedPort(in: text) == 38049)
    #expect(Emulator.forwardedPort(in: "VLAN 0 (net0):\r\n") == nil)
  }

  @Test func theVersion() {
    let text = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c) 2003-2022"
    #expect(Installation.version(in: text) == "7.2.22")
    #expect(Installation.version(in: "QEMU emulator version 10.1.0") == "10.1.0")
    #expect(Installation.version(in: "nonsense") == nil)
  }
}
