/// What goes into an image that is built from packages. It takes systemd, an OpenSSH server and a root file system
/// on the bare disk for granted.
extension GuestPreparation {
  /// The files to put into the image's tree before `buildScript` runs in it. They belong to root; folders that lack are
  /// made with mode 0755.
  package var files: [File] {
    [
      File(path: "/root/.ssh/authorized_keys", mode: 0o600, content: identity.publicKey + "\n"),
      File(path: "/etc/ssh/ssh_host_ed25519_key", mode: 0o600, content: identity.hostPrivateKey),
      File(path: "/etc/ssh/ssh_host_ed25519_key.pub", mode: 0o644, content: identity.hostPublicKey + "\n"),
      File(path: "/etc/ssh/sshd_config.d/00-muster.conf", mode: 0o644, content: Self.sshdSettings),
      File(path: "/etc/hostname", mode: 0o644, content: hostName + "\n"),
      File(path: "/etc/hosts", mode: 0o644, content: hosts),
      File(path: "/etc/systemd/network/20-muster.network", mode: 0o644, content: Self.network),
      File(path: "/etc/systemd/system/muster-grow.service", mode: 0o644, content: Self.growUnit),
      File(path: "/etc/apt/apt.conf.d/99-muster", mode: 0o644, content: Self.aptSettings),
      File(path: "/etc/needrestart/conf.d/99-muster.conf", mode: 0o644, content: Self.needrestartSettings),
      File(path: "/etc/sudoers.d/muster", mode: 0o440, content: Self.sudoers),
    ]
  }

  /// A script for `sh`, as root in the image's tree (a chroot) once its packages and `files` are there.
  /// - Parameter nameServer: What resolves names where the image has no resolver of its own; QEMU's user network has
  ///   one at 10.0.2.3.
  package static func buildScript(nameServer: String = "10.0.2.3") -> String {
    """
    set -eu
    chown -R root:root /root/.ssh
    chmod 0700 /root/.ssh
    chmod 0440 /etc/sudoers.d/muster
    # Only the key that is known beforehand: others would be checked and loaded at every boot.
    rm -f /etc/ssh/ssh_host_rsa_key* /etc/ssh/ssh_host_ecdsa_key* /etc/ssh/ssh_host_dsa_key*
    if [ -f /etc/ssh/sshd_config ] && ! grep -Eqi '^[[:space:]]*Include[[:space:]]+/etc/ssh/sshd_config.d/' /etc/ssh/sshd_config; then
      sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config
    fi
    id -u \(user) >/dev/null 2>&1 || useradd --create-home --shell /bin/bash \(user)
    for unit in \(maskedUnits.joined(separator: " ")); do
      ln -sf /dev/null "/etc/systemd/system/$unit"
    done
    systemctl enable muster-grow.service
    # ifupdown, where it is installed, would ask for an address too.
    rm -f /etc/network/interfaces.d/*
    systemctl enable systemd-networkd.service
    systemctl disable systemd-networkd-wait-online.service 2>/dev/null || true
    if [ -e /lib/systemd/system/ssh.service ]; then
      systemctl enable ssh.service
    else
      systemctl enable sshd.service
    fi
    if [ -e /lib/systemd/system/systemd-resolved.service ]; then
      systemctl enable systemd-resolved.service
      ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
    else
      rm -f /etc/resolv.conf
      echo 'nameserver \(nameServer)' > /etc/resolv.conf
    fi
    # Every machine draws an id of its own at its first boot.
    : > /etc/machine-id
    rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed

    """
  }

  private var hosts: String {
    """
    127.0.0.1 localhost
    127.0.1.1 \(hostName)
    ::1 localhost ip6-localhost ip6-loopback

    """
  }

  private static let network = """
    [Match]
    Name=en* eth*

    [Network]
    DHCP=yes

    [DHCPv4]
    ClientIdentifier=mac

    """

  /// The file system is as large as the image was when it was built; the disk under it is as large as was asked for.
  private static let growUnit = """
    [Unit]
    Description=Grow the root file system to its disk
    DefaultDependencies=no
    After=systemd-remount-fs.service
    Before=local-fs.target shutdown.target
    Conflicts=shutdown.target

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/lib/systemd/systemd-growfs /

    [Install]
    WantedBy=local-fs.target

    """
}
