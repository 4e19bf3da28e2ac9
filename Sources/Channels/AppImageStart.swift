import MusterMatrix

/// Whether an AppImage starts in the way in which it is to be run.
extension AppImageScripts {
  var start: GuestScript {
    switch image.run {
    case .mounted: mounted
    case .extractAndRun: withoutFUSE
    case .extracted: extracted
    }
  }

  /// A plain user has it mount its files, as on a desktop; the kernel says whether it did. A runtime that fails to
  /// mount tells a folder all the same, and some go on by extracting themselves.
  private var mounted: GuestScript {
    GuestScript(
      """
      export LC_ALL=C
      unset APPIMAGE_EXTRACT_AND_RUN || :
      folder=$(mktemp -d /tmp/\(place.name)-XXXXXX)
      cat >"$folder/mount" <<'END'
      cd "$1"
      mkfifo said
      timeout 60 \(Shell.quote(file)) --appimage-mount >said </dev/null &
      place=
      while read -r place && test "${place#/}" = "$place"; do echo "$place" >&2; done <said
      if test -n "$place" && grep -q " $place fuse" /proc/mounts && test -e "$place/AppRun"; then
        echo 'start=mounted by FUSE'
      else
        echo 'start=not mounted by FUSE'
      fi
      kill $! 2>/dev/null || :
      wait || :
      END
      chown nobody "$folder"
      if setpriv --help 2>&1 | grep -q init-groups; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --init-groups sh -e "$folder/mount" "$folder"
      else
        su -s /bin/sh -c 'exec "$0" "$@"' -- nobody sh -e "$folder/mount" "$folder"
      fi
      rm -rf "$folder"
      """, facts: [Fact("start", equals: "mounted by FUSE")])
  }

  /// Those who start it on a machine without FUSE must be told what is the matter, or see it run all the same. The
  /// advice goes to standard output or error, and the status is 1 or 127, as the runtime is old or new.
  private var withoutFUSE: GuestScript {
    GuestScript(
      """
      export LC_ALL=C
      unset APPIMAGE_EXTRACT_AND_RUN || :
      status=0
      timeout 60 \(Shell.quote(file)) >\(folder)/said 2>&1 </dev/null || status=$?
      cat \(folder)/said >&2
      if grep -q -i fuse \(folder)/said || test "$status" -eq 0; then
        echo 'start=a clear answer without FUSE'
      elif test "$status" -eq 124; then
        echo 'start=no answer without FUSE within a minute'
      elif test "$status" -gt 128; then
        echo "start=killed by signal $((status - 128)) without FUSE"
      else
        echo "start=exit status $status without FUSE, and no word of it"
      fi
      """, facts: [Fact("start", equals: "a clear answer without FUSE")])
  }

  private var extracted: GuestScript {
    GuestScript(
      """
      if test -x \(tree)/AppRun; then
        echo 'start=AppRun can be executed'
      else
        echo 'start=there is no AppRun that can be executed'
        ls -l \(tree) >&2
      fi
      """, facts: [Fact("start", equals: "AppRun can be executed")])
  }
}
