import MusterMatrix

/// A release for Alpine Linux, by apk (2 and 3). All is written for busybox.
extension ChannelStep {
  func apk(_ part: ChannelPart, _ place: ChannelPlace) -> GuestScript {
    switch part {
    case .add: addForApk(place)
    case .refresh: refreshByApk(place)
    case .install, .downgrade: byApk("add", place)
    case .upgrade: byApk("add --upgrade", place)
    case .reinstall: GuestScript("\(apkCommand)\n\(names(.apk, place))\napk fix --reinstall \"$@\"")
    case .remove: removeByApk("del", place)
    case .purge: removeByApk("del --purge", place)
    default: GuestScript("")
    }
  }

  /// What every call of apk gets. Without a key there is nothing to trust.
  private var apkCommand: String {
    let trust = repository?.key == nil ? "--allow-untrusted " : ""
    return """
      export LC_ALL=C.UTF-8
      apk() { command apk --wait 300 \(trust)"$@" </dev/null; }
      """
  }

  /// apk looks for a signature's key by the name of its file, so the key keeps it. A repository in a folder is named by
  /// its path.
  private func addForApk(_ place: ChannelPlace) -> GuestScript {
    guard let repository else { return GuestScript("") }
    let trust =
      repository.key.map { key in
        let file = Shell.quote(place.keyFile(key))
        return """
          if ! grep -q -e '-----BEGIN .*PUBLIC KEY' \(place.key); then
            echo 'the key is no public key in PEM form: name the file NAME.rsa.pub that abuild-keygen writes' >&2
            exit 1
          fi
          mkdir -p /etc/apk/keys
          cp \(place.key) /etc/apk/keys/\(file)
          chmod 644 /etc/apk/keys/\(file)

          """
      } ?? ""
    let address = place.address(repository)
    return GuestScript(
      """
      \(trust)address=\(address.word)
      address=${address#file://}
      echo "${address%/}" >\(place.folder)/repositories
      cat \(place.folder)/repositories >>/etc/apk/repositories
      """, secrets: address.secrets)
  }

  /// Only this one: a mirror of the distro's that is out of reach is not the release's fault.
  private func refreshByApk(_ place: ChannelPlace) -> GuestScript {
    GuestScript(
      """
      \(apkCommand)
      status=0
      apk --repositories-file \(place.folder)/repositories update >\(place.folder)/update 2>&1 || status=$?
      cat \(place.folder)/update
      if test "$status" -ne 0; then exit "$status"; fi
      # apk only warns of a repository in a folder that it cannot use.
      if grep -q '^WARNING: ' \(place.folder)/update; then exit 1; fi
      """)
  }

  /// A version is given as people say it, without the release (`-r0`), and looked up.
  private func byApk(_ command: String, _ place: ChannelPlace) -> GuestScript {
    let index = """
      if ! test -e /run/muster-index; then
        apk update
        : >/run/muster-index
      fi
      """
    let what: String
    if let file = file(place) {
      what = "set -- \(Shell.quote(file))"
    } else if let version {
      what = """
        wanted=\(Shell.quote(version))
        find_version() {
          apk policy "$1" | sed -n 's/^  \\([^ ]*\\):$/\\1/p' | while read -r found; do
            case $found in
              "$wanted" | "$wanted"-r*)
                echo "$found"
                break
                ;;
            esac
          done
        }
        set --
        for name in \(words); do
          found=$(find_version "$name")
          if test -z "$found"; then
            echo "no repository has version $wanted of $name; there are:" >&2
            apk policy "$name" >&2
            exit 66
          fi
          set -- "$@" "$name=$found"
        done
        """
    } else {
      what = "set -- \(words)"
    }
    return GuestScript(
      """
      \(apkCommand)
      \(index)
      \(what)
      apk \(command) "$@"
      """, secrets: version?.secrets ?? [])
  }

  /// A name that is not installed is an error to apk.
  private func removeByApk(_ command: String, _ place: ChannelPlace) -> GuestScript {
    GuestScript(
      """
      \(apkCommand)
      \(noting(.apk, place))
      if apk info -e "$@" >/dev/null; then apk \(command) "$@"; fi
      """)
  }
}
