import MusterHost
import MusterManagers

extension IncusManager {
  /// What the client says, and what it means.
  static func words(_ dialect: IncusDialect, project: String) -> ManagerWords {
    let tool = dialect.tool
    let imageHint = "'\(tool) image list SERVER:' lists the images of a server, such as 'images:' and 'local:'"
    let kvmHint =
      "give its host KVM (/dev/kvm, and vhost_vsock), or take containers: "
      + "'backends: {\(dialect.name): {instance: container}}'"
    return ManagerWords(
      name: dialect.name, title: dialect.title, tool: tool, installation: dialect.installation(),
      update: dialect.update, restartHint: "look at its log, and restart its daemon ('\(dialect.start)')",
      signs: [
        .init(
          "permission denied", .host,
          hint: "join the group '\(dialect.group)' ('sudo usermod -aG \(dialect.group) $USER'), and log in again"),
        .init("connect: no such file or directory", .host, hint: "start its daemon: '\(dialect.start)'"),
        .init("connect: connection refused", .host, hint: "start its daemon: '\(dialect.start)'"),
        .init("doesn't appear to be started", .host, hint: "start its daemon: '\(dialect.start)'"),
        .init("The remote \"", .matrix, hint: "'\(tool) remote list' lists the servers that there are"),
        .init("Project not found", .matrix, hint: "'\(tool) project list' lists the projects that there are"),
        .init("No root device could be found", .host, hint: diskHint(dialect, project: project)),
        .init("No storage pool found", .host, hint: "run '\(dialect.initialization)'"),
        .init("Asked for a VM but image is of type container", .matrix, hint: "choose another image, or containers"),
        .init("Asked for a container but image is of type", .matrix, hint: "choose another image, or machines"),
        .init("Image not found", .matrix, hint: imageHint),
        .init("couldn't be found", .matrix, hint: imageHint),
        .init("Failed getting remote image info", .mirror, hint: imageHint, canPass: true),
        .init("only allowed when clustered", .matrix, hint: "leave out 'target', which names a member of a cluster"),
        .init(
          "is forbidden", .host,
          hint: "'\(tool) project show \(project)' tells the restrictions of the project; take another, or lift them"),
        .init("no space left on device", .host, hint: "make room where \(dialect.title) keeps its instances"),
        .init("Instance type \"virtual-machine\" is not supported", .host, hint: kvmHint),
        .init("vhost_vsock", .host, hint: kvmHint),
        .init("KVM support is missing", .host, hint: kvmHint),
        .init("Instance is busy running", .backend, canPass: true),
        // A container that stops at once may be gone before it is waited for (seen with LXD 5.0).
        .init("shutting down the container failed", .backend, canPass: true),
      ],
      lines: { output, _ in
        let lines = output.errorText.firstLines(20)
        let errors = lines.filter { $0.hasPrefix("Error: ") }.map { String($0.dropFirst("Error: ".count)) }
        return errors.isEmpty ? lines : errors
      })
  }

  /// A project may have profiles of its own, which nothing initializes.
  static func diskHint(_ dialect: IncusDialect, project: String) -> String {
    project == "default"
      ? "run '\(dialect.initialization)'"
      : "run '\(dialect.tool) profile device add default root disk path=/ pool=default --project \(project)'"
  }

  /// What is told where no instances of a kind can be made.
  static func noVirtualMachines(_ dialect: IncusDialect) -> Failure {
    Failure(
      .host, "\(dialect.title) can make no virtual machines on this host",
      hint: "give it KVM (/dev/kvm, and the modules kvm and vhost_vsock), or take containers, which share its kernel: "
        + "'backends: {\(dialect.name): {instance: container}}'")
  }
}
