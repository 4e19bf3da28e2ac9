import MusterMatrix

/// A release for Arch Linux: from a pacman repository, from a PKGBUILD, or from the AUR.
extension ChannelStep {
  /// The plain user who builds; makepkg refuses to be root.
  private static let builder = "muster"

  func pacman(_ part: ChannelPart, _ place: ChannelPlace) -> GuestScript {
    switch (part, source) {
    case (.add, .repository(let repository)): addForPacman(repository, place)
    case (.refresh, _):
      // Only this one: a database of another that is out of date is not the release's fault.
      GuestScript(
        """
        export LC_ALL=C.UTF-8
        {
          echo '[options]'
          echo 'Architecture = auto'
          cat /etc/pacman.d/\(place.name).conf
        } >/run/\(place.name).conf
        pacman --config /run/\(place.name).conf -Syy --noconfirm </dev/null
        """)
    // All that is brought up to date, or is needed to build it, is none of what the release leaves.
    case (.prepare, .repository):
      GuestScript(
        """
        \(Self.keyring)
        others=$(pacman -Sp --print-format %n \(words) | grep -vxF\(packages.map { " -e \(Shell.quote($0))" }.joined()) || :)
        if test -n "$others"; then pacman -S --noconfirm --needed --asdeps $others </dev/null; fi
        """)
    case (.prepare, .userRepository), (.prepare, .pkgbuild):
      GuestScript(
        """
        \(Self.keyring)
        \(Self.tools)
        \(eachBuild(place) { Self.make("-s -o -f -C", $0) })
        """)
    // Arch knows no partial upgrade.
    case (.install, .repository), (.upgrade, .repository):
      GuestScript(
        """
        \(Self.keyring)
        pacman -Syu --noconfirm --needed \(words) </dev/null
        """)
    case (.reinstall, .repository):
      GuestScript("export LC_ALL=C.UTF-8\npacman -S --noconfirm \(words) </dev/null")
    // A repository of pacman holds one version: the package itself is given.
    case (.downgrade, .repository):
      GuestScript(
        """
        export LC_ALL=C.UTF-8
        set --
        for name in \(words); do
          set -- "$@" "$(pacman -Sp --config /run/\(place.name).conf "$name" | sed 's|^file://||')"
        done
        pacman -U --noconfirm "$@" </dev/null
        """)
    case (let part, .userRepository) where part.installs, (let part, .pkgbuild) where part.installs:
      GuestScript(
        """
        \(Self.keyring)
        \(Self.tools)
        \(eachBuild(place, build))
        """)
    case (.remove, _):
      GuestScript("export LC_ALL=C.UTF-8\n\(noting(.pacman, place))\npacman -Rs --noconfirm \"$@\" </dev/null")
    case (.purge, _):
      GuestScript(
        """
        export LC_ALL=C.UTF-8
        \(noting(.pacman, place))
        if pacman -Q "$@" >/dev/null 2>&1; then pacman -Rns --noconfirm "$@" </dev/null; fi
        """)
    default: GuestScript("")
    }
  }

  /// An image makes its keyring when it boots.
  private static let waiting =
    "if test -e /usr/lib/systemd/system/pacman-init.service; then systemctl start pacman-init.service; fi"

  /// The keyring goes first, since that of an old image does not know the keys of new packages.
  private static let keyring = """
    export LC_ALL=C.UTF-8
    if ! test -e /run/muster-index; then
      \(waiting)
      pacman -Sy --noconfirm --needed archlinux-keyring </dev/null
      pacman -Su --noconfirm </dev/null
      : >/run/muster-index
    fi
    """

  private static let tools = """
    if ! command -v makepkg >/dev/null || ! command -v fakeroot >/dev/null || ! command -v git >/dev/null; then
      pacman -S --noconfirm --needed base-devel git </dev/null
    fi
    """

  /// Does something with each PKGBUILD: that of the host, or those that the AUR has under the packages' names. A name that
  /// it does not know clones as an empty folder.
  private func eachBuild(_ place: ChannelPlace, _ body: (ChannelPlace) -> String) -> String {
    let one = """
      if ! test -f \(place.pkgbuild)/PKGBUILD; then
        echo 'there is no PKGBUILD' >&2
        exit 66
      fi
      chown -R \(Self.builder): \(place.pkgbuild)
      chmod 755 /var/lib/muster "$(dirname \(place.pkgbuild))"
      # The keys that its sources are signed with.
      for key in \(place.pkgbuild)/keys/pgp/*.asc; do
        if test -e "$key"; then su -s /bin/sh \(Self.builder) -c "gpg --batch --import '$key'" </dev/null; fi
      done
      \(body(place))
      """
    guard case .userRepository = source else { return one }
    return """
      for name in \(words); do
        rm -rf \(place.pkgbuild)
        git clone --depth 1 "https://aur.archlinux.org/$name.git" \(place.pkgbuild) </dev/null
        \(one.replacing("\n", with: "\n  "))
      done
      """
  }

  private static func make(_ options: String, _ place: ChannelPlace) -> String {
    "su -s /bin/sh \(builder) -c 'cd \(place.pkgbuild) && makepkg \(options) --noconfirm --needed' </dev/null"
  }

  private func build(_ place: ChannelPlace) -> String {
    """
    \(Self.make("-s -f -C", place))
    su -s /bin/sh \(Self.builder) -c 'cd \(place.pkgbuild) && makepkg --packagelist' >/run/\(place.name).packages
    while read -r package; do
      if test -e "$package"; then set -- "$@" "$package"; fi
    done </run/\(place.name).packages
    pacman -U --noconfirm "$@" </dev/null
    pacman -Qpq "$@" >>\(place.names)
    set --
    """
  }

  /// The repository's name is that of its index, `NAME.db`.
  private func addForPacman(_ repository: Repository, _ place: ChannelPlace) -> GuestScript {
    let address = place.address(repository)
    let name =
      repository.suite.map { "name=\(Shell.quote($0))" }
      ?? "name=$(basename \"$(ls -d \(place.repository)/*.db | head -n 1)\" .db)"
    let isSigned = repository.key != nil
    let trust =
      isSigned
      ? """
      \(Self.waiting)
      if ! test -e /etc/pacman.d/gnupg/trustdb.gpg; then
        pacman-key --init
        pacman-key --populate || :
      fi
      pacman-key --add \(place.key)
      fingerprint=$(gpg --show-keys --with-colons \(place.key) | sed -n 's/^fpr:*\\([0-9A-F]*\\):.*/\\1/p' | head -n 1)
      pacman-key --lsign-key "$fingerprint"

      """ : ""
    return GuestScript(
      """
      export LC_ALL=C.UTF-8
      \(trust)\(name)
      {
        echo "[$name]"
        echo 'SigLevel = \(isSigned ? "Required DatabaseRequired" : "Optional TrustAll")'
        echo 'Server = '\(address.word)
      } >/etc/pacman.d/\(place.name).conf
      # It takes the place of an older one with its name.
      grep -lxF -e "[$name]" /etc/pacman.d/muster-*.conf | while read -r other; do
        sed -i "\\|^Include = $other$|d" /etc/pacman.conf
      done
      echo 'Include = /etc/pacman.d/\(place.name).conf' >>/etc/pacman.conf
      """, secrets: address.secrets)
  }
}
