/// All that prepares a machine for Muster, whichever way it gets there: as cloud-init's seed, or as files and a script
/// for an image that is built from packages.
///
/// Root can log in with Muster's key and in no other way; the host key is known beforehand; nothing installs packages
/// behind a test's back; there is a plain user.
package struct GuestPreparation: Sendable, Hashable {
  package var identity: GuestIdentity
  package var hostName: String

  /// The plain user, for steps that must not be root.
  package static let user = "muster"

  package init(identity: GuestIdentity, hostName: String = "muster") {
    self.identity = identity
    self.hostName = hostName
  }

  /// A file of an image that is built.
  package struct File: Sendable, Hashable {
    /// The absolute path in the image.
    package var path: String
    package var mode: UInt16
    package var content: String
  }

  /// Units that fetch or install packages by themselves; masked, whether they exist or not.
  static let maskedUnits = [
    "apt-daily.timer", "apt-daily.service", "apt-daily-upgrade.timer", "apt-daily-upgrade.service",
    "unattended-upgrades.service", "apt-news.service", "esm-cache.service", "ua-timer.timer", "motd-news.timer",
    "motd-news.service", "update-notifier-download.timer", "packagekit.service", "dnf-makecache.timer",
    "dnf-makecache.service", "dnf-automatic.timer", "dnf-automatic-install.timer", "dnf5-automatic.timer",
    "dnf5-makecache.timer", "transactional-update.timer", "backup-rpmdb.timer",
  ]

  /// sshd takes the first value it meets, so this stands before all other settings.
  static let sshdSettings = """
    PermitRootLogin prohibit-password
    PubkeyAuthentication yes
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    HostKey /etc/ssh/ssh_host_ed25519_key
    UseDNS no
    MaxSessions 100
    MaxStartups 100

    """

  /// apt waits for whoever has its lock, and does nothing by itself.
  static let aptSettings = """
    APT::Periodic::Enable "0";
    DPkg::Lock::Timeout "300";

    """

  /// needrestart lists services and asks nothing.
  static let needrestartSettings = """
    $nrconf{restart} = 'l';
    $nrconf{kernelhints} = 0;
    $nrconf{ucodehints} = 0;
    1;

    """

  static let sudoers = "\(user) ALL=(ALL:ALL) NOPASSWD: ALL\n"
}
