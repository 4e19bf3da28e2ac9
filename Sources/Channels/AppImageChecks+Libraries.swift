import MusterMatrix

/// What the programs and libraries in an AppImage need of the machine's.
extension AppImageScripts {
  /// `programs` lists the files of the tree that are ELF; `list FILE` says what the machine's loader finds for one.
  ///
  /// The loader is asked itself: `ldd` is a script whose shell would get the AppImage's libraries too. A library that
  /// is looked at by itself does not see what the program that loads it has brought or where that looks, so it may have
  /// all that the AppImage holds. A program may only where the AppImage sets LD_LIBRARY_PATH; else it has its own path.
  private var loading: String {
    """
    export LC_ALL=C
    cd \(tree)
    loader=$(ls -d /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* /lib/ld-musl-*.so.1 2>/dev/null | head -n 1)
    programs() {
      find . -type f -exec grep -l "$(printf '^\\177ELF')" {} + | while read -r file; do
        if test "$(head -c 4 "$file" | tail -c 3)" = ELF; then echo "$file"; fi
      done
    }
    all=$(find "$PWD" -type f -name '*.so*' | sed 's|/[^/]*$||' | sort -u | tr '\\n' ':')
    given=
    if grep -q -s LD_LIBRARY_PATH AppRun* apprun-hooks/* usr/bin/*; then given=$all; fi
    list() {
      case $1 in
        *.so | *.so.*) path=$all ;;
        *) path=$given ;;
      esac
      case $loader in
        *musl*) "$loader" --library-path "$path" --list "$1" 2>&1 ;;
        *) if "$loader" --verify "$1" >/dev/null 2>&1 || test $? = 2; then
            LD_TRACE_LOADED_OBJECTS=1 "$loader" --library-path "$path" "$1" 2>&1
          fi ;;
      esac || :
    }
    """
  }

  /// What every desktop has, so that an AppImage must not bring it: AppImage's excludelist. A machine without a desktop may
  /// lack it.
  private static let desktopLibraries = [
    "libGL", "libEGL", "libGLdispatch", "libGLX", "libOpenGL", "libglapi", "libgbm", "libdrm", "libX11",
    "libX11-xcb", "libxcb", "libxcb-dri2", "libxcb-dri3", "libICE", "libSM", "libasound", "libjack",
    "libpipewire-0.3", "libfontconfig", "libfreetype", "libharfbuzz", "libfribidi", "libthai", "libp11-kit",
    "libusb-1.0", "libgpg-error", "libcom_err", "libexpat", "libgmp", "libuuid", "libz",
  ]

  var libraries: GuestScript {
    GuestScript(
      """
      \(loading)
      # Is on every desktop, so no AppImage has it; this machine need not be one.
      is_desktops() {
        for name in \(Self.desktopLibraries.joined(separator: " ")); do
          case $1 in "$name".so*) return 0 ;; esac
        done
        return 1
      }
      programs | while read -r file; do
        list "$file" | grep -e 'not found' -e 'Error loading' | grep -v 'version `GLIBC_[0-9.]*. not found' \\
          | while read -r line; do
            if is_desktops "${line%% *}"; then
              echo "${line%% *}, which ${file#./} needs, is a desktop's, and not on this machine" >&2
            else
              echo "${file#./}: $line"
            fi
          done || :
      done >\(folder)/missing
      if test -s \(folder)/missing; then
        cat \(folder)/missing >&2
        echo 'to mend it: put what is missing into the AppImage, as linuxdeploy does' >&2
      fi
      state=$(sed -e 's/^\\([^:]*\\): \\(.*\\) => not found.*/\\2, which \\1 needs, is missing/' -e 1q \\
        \(folder)/missing)
      echo "libraries=${state:-all there}"
      """, facts: [Fact("libraries", equals: "all there")])
  }

  /// A program says by names such as `GLIBC_2.34` which C library it needs at least: that of the system that it was
  /// built on, most often.
  var glibc: GuestScript {
    GuestScript(
      """
      \(loading)
      answer() {
        echo "glibc=$1"
        exit
      }
      newest=$(programs | while read -r file; do grep -a -o 'GLIBC_[0-9][0-9.]*' "$file" || :; done \\
        | sort -u -V | tail -n 1)
      echo "the newest that is named in it: ${newest:-none}" >&2
      if test -n "$(find . -name 'ld-linux*.so*' -o -name 'ld-musl-*.so*')"; then
        echo 'it brings a C library of its own' >&2
        answer 'old enough for this machine'
      fi
      case $loader in
        *musl*)
          if test -n "$newest"; then answer "$newest is needed, and this machine has musl in place of glibc"; fi
          answer 'old enough for this machine'
          ;;
      esac
      here=$(ldd --version | sed -n '1s/.* //p')
      programs | while read -r file; do
        version=$(list "$file" | sed -n 's/.*version `\\(GLIBC_[0-9.]*\\). not found.*/\\1/p' | sort -V | tail -n 1)
        if test -n "$version"; then
          # The loader names what it would look for in vain, when it is to look for all at once.
          symbol=$(LD_WARN=1 LD_BIND_NOW=1 && export LD_WARN LD_BIND_NOW \\
            && list "$file" | sed -n "s/.*symbol: \\([^,]*\\), version $version.*/\\1/p" | head -n 1)
          echo "$version ${file#./} ${symbol:+($symbol) }needs $version"
        fi
      done | sort -V | tail -n 1 >\(folder)/newest
      if read -r _ found <\(folder)/newest; then
        echo "to mend it: build it on a distro whose glibc is $here or older" >&2
        answer "$found, and this machine has $here"
      fi
      answer 'old enough for this machine'
      """, facts: [Fact("glibc", equals: "old enough for this machine")])
  }
}
