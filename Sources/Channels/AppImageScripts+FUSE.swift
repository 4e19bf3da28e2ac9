import MusterCatalog
import MusterMatrix

/// FUSE, by which an AppImage mounts its own files: desktops have it, machines for servers often not.
extension AppImageScripts {
  /// What is executed of an AppImage is its runtime. An older one loads the library of FUSE 2; a newer one has its own.
  /// Either wants a program that mounts for plain users, which must be setuid.
  func bringFUSE(_ family: Family) -> String {
    """
    # Whether one of these programs is there, and setuid, so that plain users mount by it.
    mounts() {
      for tool; do
        if path=$(command -v "$tool") && test -u "$path"; then return 0; fi
      done
      return 1
    }
    if head -c 1000000 \(Shell.quote(file)) | grep -a -q 'libfuse\\.so\\.2'; then
      echo 'its runtime loads libfuse.so.2'
      set -- fusermount
      if ! ldconfig -p 2>/dev/null | grep -q 'libfuse\\.so\\.2' || ! mounts "$@"; then
        \(fuse2(family).replacing("\n", with: "\n    "))
      fi
    else
      echo 'its runtime brings its own part of FUSE'
      set -- fusermount3 fusermount
      if ! mounts "$@"; then
        \(install("fuse3", family: family).replacing("\n", with: "\n    "))
      fi
    fi
    if ! test -c /dev/fuse; then
      modprobe fuse || :
      udevadm settle 2>/dev/null || :
    fi
    if ! test -c /dev/fuse; then
      echo 'the kernel of this machine has no FUSE: there is no /dev/fuse' >&2
      exit 69
    fi
    if ! mounts "$@"; then
      echo "plain users of this machine cannot mount: there is no setuid $1" >&2
      exit 69
    fi
    """
  }

  /// Ubuntu's desktop needs `fuse3`, which `fuse` would remove; there and on Debian it has `fusermount` too. The
  /// library's name has changed with the size of its time stamps (Debian 13, Ubuntu 24.04).
  private func fuse2(_ family: Family) -> String {
    switch family {
    case .debian:
      """
      \(install("fuse3", family: family))
      if apt-cache show libfuse2t64 >/dev/null 2>&1; then
        apt install libfuse2t64
      else
        apt install libfuse2
      fi
      """
    case .fedora: install("fuse", "fuse-libs", family: family)
    case .suse: install("fuse", "libfuse2", family: family)
    case .arch: install("fuse2", family: family)
    case .alpine: install("fuse", family: family)
    }
  }

  private func install(_ packages: String..., family: Family) -> String {
    InstallStep(packages: packages).script(for: family).script
  }

  /// Without the device nobody mounts, root neither.
  var takeFUSE: String {
    """
    # Some machines have no FUSE: neither its device, nor the programs that mount for plain users. Now nor has this one.
    for tool in fusermount3 fusermount; do
      if path=$(command -v "$tool"); then rm -f "$path"; fi
    done
    mkdir -p /etc/modprobe.d
    echo 'install fuse /bin/false' >/etc/modprobe.d/muster-no-fuse.conf
    rm -f /dev/fuse
    """
  }
}
