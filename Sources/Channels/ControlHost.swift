package import MusterCatalog

/// A host that has nothing to do with the release: whether it answers tells the network's trouble from the publisher's.
package enum ControlHost {
  /// A script that ends with 0 if one of the mirrors that the machine itself is set to answers.
  package static func script(of family: Family) -> String {
    let otherwise =
      switch family {
      case .debian: "deb.debian.org"
      case .fedora: "mirrors.fedoraproject.org"
      case .suse: "download.opensuse.org"
      case .arch: "geo.mirror.pkgbuild.com"
      case .alpine: "dl-cdn.alpinelinux.org"
      }
    return """
      reach() {
        if command -v bash >/dev/null; then timeout 10 bash -c ": </dev/tcp/$1/$2" 2>/dev/null; else nc -z -w 10 "$1" "$2"; fi
      }
      for file in /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/yum.repos.d/* /etc/zypp/repos.d/* \
        /etc/pacman.d/mirrorlist /etc/apk/repositories; do
        case $file in
          */muster-*) ;;
          *) sed -n '/^[[:space:]]*#/d; s|.*\\(https*\\)://\\([^/[:space:]]*\\).*|\\1 \\2|p' "$file" 2>/dev/null ;;
        esac
      done | sort -u | head -n 3 | {
        while read -r scheme host; do
          port=${host##*:}
          if test "$port" = "$host"; then
            if test "$scheme" = https; then port=443; else port=80; fi
          fi
          if reach "${host%:*}" "$port"; then exit 0; fi
        done
        reach \(otherwise) 443 || reach \(otherwise) 80
      }
      """
  }
}
