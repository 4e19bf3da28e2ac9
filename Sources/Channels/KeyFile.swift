import MusterMatrix

/// The file of an OpenPGP key, looked at before a package manager trusts it: most say of a file that is missing, is no key or is
/// another key no more than that a key is not known.
///
/// The fingerprint is computed by what every machine has. Minimal images have no gpg, and one that is brought would not
/// be the machine's own.
enum KeyFile {
  /// - Parameter fingerprint: What it must be; `nil` where any key is good enough.
  static func script(_ file: String, fingerprint: String?) -> GuestScript {
    let fact =
      fingerprint.map { Fact("fingerprint", equals: MaskedText($0)) } ?? Fact("key", equals: "an OpenPGP public key")
    let answer =
      fingerprint == nil
      ? #"""
      case $found in
        *[!0-9A-F\ ]*) echo "key=$found" ;;
        *) echo 'key=an OpenPGP public key' ;;
      esac
      """#
      : #"echo "fingerprint=$found""#
    return GuestScript(
      """
      export LC_ALL=C
      key=\(file)
      \(packets)
      if grep -q -e '-----BEGIN PGP' "$key"; then
        # Each block in a line, without the checksum at its end.
        tr -d '\\r' <"$key" | awk '
          /^-----BEGIN PGP/ { head = 1; next }
          /^-----END/ { if (data) print ""; data = 0; next }
          head && /^[[:space:]]*$/ { head = 0; data = 1; next }
          data && !/^=/ { printf "%s", $0 }
        ' | while read -r block; do echo "$block" | base64 -d; done >"$key.bin" || :
      else
        cp "$key" "$key.bin"
      fi
      found=
      packets "$key.bin" >"$key.packets" || :
      while read -r tag start size version; do
        case $tag:$version in
          6:4) ;;
          6:*) found="a key of version $version, whose fingerprint is another kind"; break ;;
          5:*) found='a secret key'; break ;;
          *) continue ;;
        esac
        # The fingerprint is the digest of the key's packet with its length before it.
        print=$({
          printf '\\231'
          printf "\\\\$(printf %o "$((size / 256))")\\\\$(printf %o "$((size % 256))")"
          tail -c "+$((start + 1))" "$key.bin" | head -c "$size"
        } | sha1sum | cut -c 1-40 | tr a-f A-F)
        # All that are in the file would be trusted.
        case " $found " in
          *" $print "*) ;;
          *) found="${found:+$found }$print" ;;
        esac
      done <"$key.packets"
      if test -z "$found"; then found='no OpenPGP public key'; fi
      \(answer)
      """, facts: [fact])
  }

  /// A function `packets`: the tag, the place, the size and the first byte of each packet of a file, a line each.
  private static let packets = """
    packets() {
      od -An -v -tu1 "$1" | awk '
        { for (i = 1; i <= NF; i++) byte[count++] = $i }
        function number(at, size,  sum) {
          while (size-- > 0) sum = sum * 256 + byte[at++]
          return sum
        }
        END {
          while (at < count) {
            first = byte[at++]
            if (first < 128) exit 1
            if (first < 192) {
              tag = int(first / 4) % 16
              width = 2 ^ (first % 4)
              if (width == 8) exit 1
              size = number(at, width)
              at += width
            } else {
              tag = first - 192
              if (byte[at] < 192) { size = byte[at]; at += 1 }
              else if (byte[at] < 224) { size = (byte[at] - 192) * 256 + byte[at + 1] + 192; at += 2 }
              else if (byte[at] == 255) { size = number(at + 1, 4); at += 5 }
              else exit 1
            }
            print tag, at, size, byte[at]
            at += size
          }
        }
      '
    }
    """
}
