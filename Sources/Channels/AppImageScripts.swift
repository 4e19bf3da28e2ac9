import MusterCatalog
import MusterMatrix

/// A release as an AppImage: one file, which is put in place and called by a wrapper in `/usr/local/bin`, so that it is
/// used in the same way as what other channels install.
struct AppImageScripts {
  var step: ChannelStep
  var image: ChannelStep.AppImage
  var place: ChannelPlace

  /// Where it is in the machine: whoever uses the machine may read it.
  var folder: String { "/opt/\(place.name)" }
  /// The files in it, once it has unpacked itself.
  var tree: String { "\(folder)/squashfs-root" }
  var file: String { "\(folder)/\(fileName)" }

  private var fileName: String {
    let path =
      switch image.place {
      case .file(let path): path
      case .url(let url): String(url.description.prefix { $0 != "?" && $0 != "#" })
      }
    return path.split(separator: "/").last.map(String.init) ?? "AppImage"
  }

  func script(for part: ChannelPart, _ family: Family) -> GuestScript {
    switch part {
    case .download: download(family)
    case .fuse: image.run == .mounted ? GuestScript(bringFUSE(family)) : GuestScript(takeFUSE)
    case .install: install
    case .check(let check): self.check(check)
    case .remove, .purge: GuestScript("rm -rf \(folder) /usr/local/bin/\(image.command)")
    case .removed: removed
    default: GuestScript("")
    }
  }

  /// Whoever has deleted the file has removed it; what still has it mounted goes on.
  private var removed: GuestScript {
    GuestScript(
      """
      state=removed
      if grep -q ' /tmp/\\.mount_.* fuse' /proc/mounts; then
        grep ' /tmp/\\.mount_' /proc/mounts >&2
        state='it is still mounted'
      fi
      echo "package=$state"
      """, facts: [Fact("package", equals: "removed")])
  }

  /// What the step is taken apart into. The file is looked at before anything is asked of a mirror: of one that is no
  /// AppImage nothing else need be known.
  /// - Parameter before: What is done right before the installation.
  func parts(
    number: Int, before: [(ChannelPart, String)] = []
  ) -> [(action: Step.Action, title: String)] {
    var parts: [(action: Step.Action, title: String)] = []
    func add(_ part: ChannelPart, _ title: String) { parts.append((.channel(step, part, number: number), title)) }
    func check(_ checks: [ChannelStep.Check]) {
      for check in step.checks where checks.contains(check) { add(.check(check), check.rawValue) }
    }
    switch image.place {
    case .file(let path): parts.append((.copy(CopyStep(from: path, to: file, mode: 0o644)), "bring the file"))
    case .url: add(.download, "download")
    }
    check(image.sha256 == nil ? [.format] : [.sha256, .format])
    switch image.run {
    case .mounted: add(.fuse, "bring FUSE")
    case .extractAndRun: add(.fuse, "take FUSE away")
    case .extracted: break
    }
    for (part, title) in before { add(part, title) }
    add(.install, "install")
    check(step.version == nil ? [.start] : [.start, .version])
    check([.glibc, .libraries, .desktop])
    return parts
  }

  private func download(_ family: Family) -> GuestScript {
    guard case .url(let url) = image.place else { return GuestScript("") }
    let curl = InstallStep(packages: ["curl"]).script(for: family).script
    return GuestScript(
      """
      if ! command -v curl >/dev/null && ! command -v wget >/dev/null; then
        \(curl.replacing("\n", with: "\n  "))
      fi
      mkdir -p \(folder)
      if command -v curl >/dev/null; then
        curl --fail --location --silent --show-error --retry 3 --output \(Shell.quote(file)) \(Shell.quote(url))
      else
        wget -O \(Shell.quote(file)) \(Shell.quote(url))
      fi
      """, secrets: url.secrets)
  }

  /// It need not be executable as it is distributed: people make it so. It unpacks itself, which needs no FUSE, for
  /// what is in it to be looked at.
  private var install: GuestScript {
    GuestScript(
      """
      unset APPIMAGE_EXTRACT_AND_RUN || :
      cd \(folder)
      chmod 755 . \(Shell.quote(file))
      rm -rf squashfs-root
      if ! \(Shell.quote(file)) --appimage-extract >/dev/null </dev/null; then
        echo 'to mend it: pack it and upload it again, and see that --appimage-extract works' >&2
        exit 66
      fi
      mkdir -p /usr/local/bin
      cat >/usr/local/bin/\(image.command) <<'END'
      \(wrapper)
      END
      chmod 755 /usr/local/bin/\(image.command)
      """)
  }

  private var wrapper: String {
    switch image.run {
    case .mounted:
      """
      #!/bin/sh
      # Any value of this, 0 too, would make it extract itself.
      unset APPIMAGE_EXTRACT_AND_RUN
      exec \(Shell.quote(file)) "$@"
      """
    case .extractAndRun:
      """
      #!/bin/sh
      # A folder for each run: those at the same time would share one, which the first to end removes. Not in /tmp,
      # where some machines let nothing be executed.
      TMPDIR=$(mktemp -d /var/tmp/\(image.command)-XXXXXX) || exit
      export TMPDIR APPIMAGE_EXTRACT_AND_RUN=1
      trap 'rm -rf "$TMPDIR"' EXIT
      \(Shell.quote(file)) "$@"
      """
    case .extracted:
      """
      #!/bin/sh
      exec \(tree)/AppRun "$@"
      """
    }
  }
}
