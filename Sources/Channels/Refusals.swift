import MusterCatalog
import MusterMatrix

/// A repository that is not what its publisher signed, which a package manager must refuse.
extension ChannelStep {
  /// Makes a copy of the repository, spoils it, and tries to install from it. Exits with 0 if that is not refused.
  func refuse(_ refusal: Lifecycle.Refusal, _ place: ChannelPlace, _ database: PackageDatabase, _ family: Family)
    -> GuestScript
  {
    let spoiled = ChannelPlace(channel: place.channel, number: place.number, variant: refusal.rawValue)
    let parts = [ChannelPart.add, .refresh, .install].map { part in script(for: part, spoiled, family) }
    return GuestScript(
      """
      mkdir -p \(spoiled.folder)\(channel == .rpm ? "\n\(Self.keys) >\(spoiled.folder)/keys" : "")
      cp -a \(place.repository) \(place.key) \(spoiled.folder)
      \(spoil(refusal, spoiled))
      cat >\(spoiled.folder)/install <<'END'
      \(parts.map(\.script).joined(separator: "\n"))
      END
      status=0
      sh -e \(spoiled.folder)/install </dev/null || status=$?
      \(names(database, place))
      \(database.installed)
      for name; do
        if installed "$name"; then
          echo "$name was installed"
          exit 0
        fi
      done
      \(forget(spoiled))
      exit "$status"
      """, secrets: parts.flatMap(\.secrets))
  }

  private func spoil(_ refusal: Lifecycle.Refusal, _ place: ChannelPlace) -> String {
    let repository = place.repository
    switch (refusal, channel) {
    case (.wrongKey, _):
      return """
        cat >\(place.key) <<'END'
        \(Self.anotherKey)
        END
        """
    case (.unsigned, .apt):
      return """
        find \(repository) -name InRelease | while read -r file; do
          sed -n '/^$/,/^-----BEGIN PGP SIGNATURE-----$/p' "$file" | sed '1d;$d' >"${file%InRelease}Release"
          rm "$file"
        done
        find \(repository) -name Release.gpg -exec rm {} +
        """
    case (.unsigned, .rpm): return "rm \(repository)/repodata/repomd.xml.asc"
    case (.unsigned, _): return "find \(repository) -name '*.sig' -exec rm {} +"
    case (.tamperedIndex, .apt):
      // Where there are files by their digests, those are what apt fetches.
      return """
        find \(repository) -type f \\( -name 'Packages*' -o -path '*/by-hash/*' \\) | while read -r file; do echo >>"$file"; done
        """
    case (.tamperedIndex, .rpm):
      return "for file in \(repository)/repodata/*primary.*; do echo >>\"$file\"; done"
    case (.tamperedIndex, _):
      return """
        find \(repository) -type f \\( -name '*.db' -o -name '*.db.tar.*' \\) ! -name '*.sig' | while read -r file; do
          echo >>"$file"
        done
        """
    case (.tamperedPackage, _):
      // The size stays, so that nothing but the digest or the signature can tell.
      return """
        find \(repository) -name '*.deb' -o -name '*.rpm' -o -name '*.pkg.tar.*' | while read -r file; do
          size=$(wc -c <"$file")
          printf tampered | dd of="$file" bs=1 seek="$((size / 2))" conv=notrunc 2>/dev/null
        done
        """
    case (.expired, _):
      return """
        until=$(find \(repository) -name InRelease -exec sed -n 's/^Valid-Until: //p' {} + | head -n 1)
        if test -z "$until"; then
          echo 'the Release file has no Valid-Until: who stands between can hold an old index back for ever'
          exit 0
        fi
        timedatectl set-ntp false 2>/dev/null || :
        now=$(date +%s)
        date -s "@$(($(date -d "$until" +%s) + 86400))" >/dev/null
        trap 'date -s "@$now" >/dev/null' EXIT
        """
    }
  }

  /// The keys in rpm's keyring.
  private static let keys = "rpm -qa 'gpg-pubkey*'"

  /// The next one must not find the settings, the index or the key of this one.
  private func forget(_ place: ChannelPlace) -> String {
    switch channel {
    case .apt: "rm -f /etc/apt/sources.list.d/\(place.name).sources"
    case .rpm:
      """
      rm -f /etc/yum.repos.d/\(place.name).repo
      if command -v zypper >/dev/null; then zypper -n removerepo \(place.name) >/dev/null || :; fi
      \(Self.keys) | grep -vxF -f \(place.folder)/keys | while read -r key; do rpm -e --allmatches "$key"; done
      """
    case .aur, .pypi, .appimage, .apk, .homebrew:
      """
      fingerprint=$(gpg --show-keys --with-colons \(place.key) | sed -n 's/^fpr:*\\([0-9A-F]*\\):.*/\\1/p' | head -n 1)
      pacman-key --delete "$fingerprint" >/dev/null || :
      sed -i '/^Include = .*\\/\(place.name).conf$/d' /etc/pacman.conf
      rm -f /var/lib/pacman/sync/*.db.sig
      """
    }
  }

  /// The public key of nobody: its secret half was thrown away when it was made.
  static let anotherKey = """
    -----BEGIN PGP PUBLIC KEY BLOCK-----

    mQENBGWSAIABCACuFVVOCbhY6sJyGDT0Qt+9GlwAbpOAFT0NzqnfSDbKX+OxMY1A
    6PMHgv4q82gi/u+6oNVgZWts8OUKHf6BJof/bHaXasykx7MbWo9uC3PQ37dfR+Nl
    oO2ZkcodtVw4VgIE5xt+V0+2c0azMCk+UzGw2UyabTfOacFD+Yf+Q+J/wZR7RnO8
    tyEbZIU3s+QB1o5anADlY5mO7KqR96D6kIr8dwCvNNrOYpfikqubHs87EuwZ5sZL
    fRmfJt//oweF8iRc+/u4dxH5K1v3pJvSJ1n/Q2gyEAPOxTYRRT1V7XVCF+8n22hm
    R2/WD8UQuhO9SIwUBIAXhL9Mp8yXVhhFYytjABEBAAG0DVNvbWVib2R5IGVsc2WJ
    AU4EEwEKADgWIQSriyF0VDlsdRzgwVWSc8na/Zkt3wUCZZIAgAIbAwULCQgHAgYV
    CgkICwIEFgIDAQIeAQIXgAAKCRCSc8na/Zkt3wuLB/0XL6MFMGH9qIZEUGR0PFDs
    7TQkbyMEKuo6hV+t/9FGSDoz8PqtfShsUT6dCyL/ThcaMSY1Q4wTC6UBQtM1AmcW
    GKWQUpPfm2KBtTAphdO0z2tN39vhdSeYhli0Q/K/1XzbByNf6UGXsFa/IJ+aI8LL
    BBGDGkP+MpFIgwqTyp8I8aPc57eOwJl4PzWVxPmqvtuVdVuibP+wJqJJF+yoob7r
    9Vrq8PAFD3v4EnZT1WlYCjEyjXUn3CvD5B97bfv2RRwrlv+DZu2zxa9spmSEDd5o
    oLRHoQfZ+DhlXY9W0fAaOJjZuSs6f7fmVEjg+nJAyISblzYiRH98smq2trwHkoG0
    =qsCi
    -----END PGP PUBLIC KEY BLOCK-----
    """
}
