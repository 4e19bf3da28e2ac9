import MusterMatrix

/// What is looked at of an AppImage. There is no database of packages to ask, so the file itself is, and what it
/// unpacks. Nothing is used but what every machine has: no readelf, no unsquashfs.
extension AppImageScripts {
  func check(_ check: ChannelStep.Check) -> GuestScript {
    switch check {
    case .sha256: sha256
    case .format: format
    case .start: start
    case .version: version
    case .glibc: glibc
    case .libraries: libraries
    case .desktop: desktop
    default: GuestScript("")
    }
  }

  private var sha256: GuestScript {
    GuestScript(
      """
      sum=$(sha256sum <\(Shell.quote(file)))
      echo "sha256=${sum%% *}"
      """, facts: image.sha256.map { [Fact("sha256", equals: MaskedText($0))] } ?? [])
  }

  /// An AppImage is an ELF program with `AI` and its type at the 8th byte, and behind it a file system, which begins
  /// where the ELF's table of sections ends. A squashfs says at its 40th byte how long it is.
  private var format: GuestScript {
    GuestScript(
      """
      export LC_ALL=C
      file=\(Shell.quote(file))
      # The number of so many bytes at a place of the file.
      number() { od -A n -v -t "u$2" -j "$1" -N "$2" "$file" | tr -d ' '; }
      # What it is like, and what whoever publishes it can do about it.
      answer() {
        echo "format=$1"
        if test $# -gt 1; then echo "to mend it: $2" >&2; fi
        exit
      }
      if test "$(head -c 4 "$file" | tail -c 3)" != ELF; then
        echo "it begins with: $(head -c 200 "$file" | tr -c -d '[:print:]' | head -c 80)" >&2
        answer 'no program' 'publish the file itself, not a page or a pointer to it'
      fi
      type=$(od -A n -t x1 -j 8 -N 3 "$file" | tr -d ' ')
      case $type in
        414901 | 414902) ;;
        *) answer "a program without the mark of an AppImage, 'AI' and its type at its 8th byte" \\
            'make it by appimagetool or linuxdeploy, and strip nothing of it afterwards' ;;
      esac
      machine=$(number 18 2)
      case $machine in
        3) machine=i386 ;;
        40) machine=arm ;;
        62) machine=x86_64 ;;
        183) machine=aarch64 ;;
        243) machine=riscv64 ;;
        *) machine="the machine of number $machine" ;;
      esac
      if test "$machine" != "$(uname -m)"; then
        answer "an AppImage for $machine, and this machine is $(uname -m)" "publish one for $(uname -m) too"
      fi
      loader=$(head -c 4096 "$file" | grep -a -o '/lib[0-9a-z/]*/ld-[-0-9a-z_.]*' | head -n 1)
      if test -n "$loader" && ! test -e "$loader"; then
        answer "an AppImage whose runtime needs $loader, which this machine does not have" \\
          'give it the static runtime (type2-runtime)'
      fi
      \(image.run == .extractAndRun
        ? "if test \"$type\" = 414901; then answer 'an AppImage of type 1, which does not extract and run itself'; fi\n"
        : "")if test "$(number 4 1)" = 1; then
        end=$(($(number 32 4) + $(number 46 2) * $(number 48 2)))
      else
        end=$(($(number 40 8) + $(number 58 2) * $(number 60 2)))
      fi
      size=$(wc -c <"$file")
      if test "$size" -le "$end"; then
        answer "an AppImage that is cut off within its runtime: $size bytes" 'upload it again'
      fi
      # hsqs: otherwise it is another file system.
      if test "$(number "$end" 4)" = 1936814952; then
        length=$(number $((end + 40)) 8)
        if test "$size" -lt $((end + length)); then
          answer "an AppImage that is cut off: $size of $((end + length)) bytes" 'upload it again'
        fi
      fi
      answer 'an AppImage for this machine'
      """, facts: [Fact("format", equals: "an AppImage for this machine")])
  }

  private var version: GuestScript {
    GuestScript(
      """
      cd \(tree)
      version=$(cat ./*.desktop | sed -n 's/^X-AppImage-Version=//p' | head -n 1)
      if test -z "$version"; then echo 'to mend it: set VERSION for appimagetool or linuxdeploy' >&2; fi
      echo "version=${version:-"not told: its desktop entry has no X-AppImage-Version"}"
      """, facts: step.version.map { [Fact("version", version: $0)] } ?? [])
  }

  /// The root user can execute what anybody can.
  private var desktop: GuestScript {
    GuestScript(
      """
      export LC_ALL=C
      cd \(tree)
      answer() {
        echo "desktop=$1"
        exit
      }
      if ! test -e AppRun; then answer 'there is no AppRun at its top'; fi
      if ! test -x AppRun; then answer 'its AppRun is not executable'; fi
      set -- *.desktop
      if ! test -e "$1"; then answer 'there is no .desktop file at its top'; fi
      if test $# -gt 1; then answer "there are several .desktop files at its top: $*"; fi
      for key in Type Name Exec Icon; do
        if ! grep -q "^$key=." "$1"; then answer "$1 has no '$key='"; fi
      done
      icon=$(sed -n 's/^Icon=//p' "$1" | head -n 1)
      if ! test -e "$icon.svg" && ! test -e "$icon.png" && ! test -e "$icon.xpm"; then
        answer "the icon '$icon' of $1 is not at its top, as $icon.svg, .png or .xpm"
      fi
      if command -v desktop-file-validate >/dev/null && ! desktop-file-validate "$1" >&2; then
        answer "desktop-file-validate finds $1 wrong"
      fi
      answer 'in order'
      """, facts: [Fact("desktop", equals: "in order")])
  }
}
