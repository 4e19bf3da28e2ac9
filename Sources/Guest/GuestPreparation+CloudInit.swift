/// The NoCloud seed: a volume labelled `cidata` with the files `user-data` and `meta-data`. There is no
/// `network-config`: without one cloud-init asks DHCP on the first network card, which every distro can render.
extension GuestPreparation {
  /// The file `meta-data`.
  /// - Parameter instance: What tells this machine from another; a new one makes cloud-init start over.
  package func metaData(instance: String) -> String {
    "instance-id: \(Self.quoted(instance))\nlocal-hostname: \(Self.quoted(hostName))\n"
  }

  /// The file `user-data`.
  package var userData: String {
    """
    #cloud-config
    hostname: \(Self.quoted(hostName))
    manage_etc_hosts: localhost
    disable_root: false
    ssh_pwauth: false
    ssh_deletekeys: true
    package_update: false
    package_upgrade: false
    ssh_keys:
      ed25519_private: |
    \(Self.indented(identity.hostPrivateKey, by: 4))
      ed25519_public: \(Self.quoted(identity.hostPublicKey))
    users:
      - name: root
        lock_passwd: false
        ssh_authorized_keys:
          - \(Self.quoted(identity.publicKey))
    \(Self.plainUser)
    write_files:
      - path: /etc/ssh/sshd_config.d/00-muster.conf
        permissions: "0644"
        content: |
    \(Self.indented(Self.sshdSettings, by: 6))
    \(Self.packageManagerFiles)
    bootcmd:
      - - sh
        - -c
        - |
    \(Self.indented(Self.bootCommands, by: 6))

    """
  }

  /// The user-data of a machine that its manager makes and reaches by itself: the plain user, and nothing that installs
  /// packages behind a test's back. The manager's own user stays, for it logs in as that.
  package static let managedUserData = """
    #cloud-config
    package_update: false
    package_upgrade: false
    users:
      - default
    \(plainUser)
    write_files:
    \(packageManagerFiles)
    bootcmd:
      - - sh
        - -c
        - |
    \(indented(masking, by: 6))

    """

  /// The same for a machine that has no cloud-init, as a script for root; it may be run again.
  package static let managedScript = """
    set -e
    if ! id -u \(user) >/dev/null 2>&1; then
      if command -v useradd >/dev/null 2>&1; then
        useradd --create-home --shell /bin/sh \(user)
      else
        adduser -D -s /bin/sh \(user)
      fi
    fi
    if [ -d /etc/sudoers.d ]; then
      printf '%s' '\(sudoers)' >/etc/sudoers.d/\(user)
      chmod 0440 /etc/sudoers.d/\(user)
    fi
    if command -v apt-get >/dev/null 2>&1; then
      mkdir -p /etc/apt/apt.conf.d /etc/needrestart/conf.d
      cat >/etc/apt/apt.conf.d/99-muster <<'END'
    \(aptSettings)END
      cat >/etc/needrestart/conf.d/99-muster.conf <<'END'
    \(needrestartSettings)END
    fi
    set +e
    \(masking)

    """

  private static let plainUser = """
      - name: \(user)
        gecos: Muster
        lock_passwd: true
        sudo: "ALL=(ALL:ALL) NOPASSWD:ALL"
    """

  private static let packageManagerFiles = """
      - path: /etc/apt/apt.conf.d/99-muster
        permissions: "0644"
        content: |
    \(indented(aptSettings, by: 6))
      - path: /etc/needrestart/conf.d/99-muster.conf
        permissions: "0644"
        content: |
    \(indented(needrestartSettings, by: 6))
    """

  /// What cannot wait for cloud-init's own modules. It runs at every boot, before sshd starts.
  private static var bootCommands: String {
    """
    # Where sshd reads no drop-ins, or reads them last, the settings go on top of its file.
    if [ -f /etc/ssh/sshd_config ] && ! grep -q '^# muster$' /etc/ssh/sshd_config; then
      { echo '# muster'; cat <<'END'
    \(sshdSettings)END
      cat /etc/ssh/sshd_config; } > /etc/ssh/sshd_config.muster
      cat /etc/ssh/sshd_config.muster > /etc/ssh/sshd_config
      rm -f /etc/ssh/sshd_config.muster
    fi
    # A password that starts with "!" locks root out where sshd does without PAM; "*" fits no password either.
    sed -i 's/^root:![^:]*:/root:*:/' /etc/shadow
    \(masking)
    """
  }

  private static let masking = """
    if command -v systemctl >/dev/null 2>&1; then
      for unit in \(maskedUnits.joined(separator: " ")); do
        ln -sf /dev/null "/etc/systemd/system/$unit"
      done
      systemctl daemon-reload
      systemctl stop --no-block \(maskedUnits.joined(separator: " ")) 2>/dev/null
    fi
    true
    """

  /// A script that a machine with cloud-init runs when ssh answers: it ends with 0 when the machine is ready, and with
  /// another status and the evidence on its standard output when its first boot failed for good.
  ///
  /// `cloud-init status --wait` says 0 when all went well, 2 when it mended something by itself, 1 for an error.
  package static let readinessScript = """
    command -v cloud-init >/dev/null 2>&1 || exit 0
    cloud-init status --wait >/dev/null 2>&1
    status=$?
    case $status in 0|2) exit 0 ;; esac
    echo "cloud-init status --wait ended with $status"
    cloud-init status --long 2>&1
    grep -E 'ERROR|CRITICAL|Traceback|WARNING' /var/log/cloud-init.log 2>/dev/null | tail -n 20
    tail -n 20 /var/log/cloud-init-output.log 2>/dev/null
    exit 1
    """

  /// A YAML scalar in double quotes.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"", "\\": result += "\\\(character)"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(character)
      }
    }
    return result + "\""
  }

  /// The lines of a block scalar; empty ones stay empty.
  private static func indented(_ text: String, by spaces: Int) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    while lines.last?.isEmpty == true { lines.removeLast() }
    let margin = String(repeating: " ", count: spaces)
    return lines.map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n")
  }
}
