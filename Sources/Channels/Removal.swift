import MusterMatrix

/// What is noted before a release is removed, what must be gone afterwards, and its configuration files.
extension ChannelStep {
  /// Sets the positional parameters to the names of the packages, and notes their files while the database knows them.
  func noting(_ database: PackageDatabase, _ place: ChannelPlace) -> String {
    """
    \(names(database, place))
    \(database.files)
    \(database.settings)
    if ! test -e \(place.owned); then
      mkdir -p \(place.folder)
      for name; do settings "$name"; done >\(place.settings)
      for name; do files "$name"; done >\(place.owned)
    fi
    """
  }

  /// A package that was removed may leave its configuration files; one that was purged may not.
  func removed(_ place: ChannelPlace, _ database: PackageDatabase, purged: Bool) -> GuestScript {
    let settings =
      purged ? "" : "\n    if grep -qxF -e \"$file\" \(place.settings); then continue; fi"
    return GuestScript(
      """
      export LC_ALL=C
      \(names(database, place))
      \(database.installed)
      \(database.owned)
      state=removed
      for name; do
        if installed "$name" >/dev/null; then state="$name is still installed"; fi
      done
      while read -r file; do\(settings)
        # A link to a folder, such as /lib, is one that others share.
        if test -d "$file"; then continue; fi
        # So may a file that another package has, such as one that was diverted.
        if test -L "$file" || test -e "$file"; then owned "$file" || echo "$file"; fi
      done <\(place.owned) >/run/\(place.name).remains
      if test -s /run/\(place.name).remains; then
        cat /run/\(place.name).remains >&2
        state="$(head -n 1 /run/\(place.name).remains) is still there"
      fi
      echo "package=$state"
      """, facts: [Fact("package", equals: "removed")])
  }

  /// An empty line at the end is a change to a package manager, and none to most programs.
  func changeSettings(_ place: ChannelPlace, _ database: PackageDatabase) -> GuestScript {
    GuestScript(
      """
      export LC_ALL=C
      \(names(database, place))
      \(database.settings)
      mkdir -p \(place.folder)
      for name; do settings "$name"; done | while read -r file; do
        if test -f "$file"; then
          echo >>"$file"
          sha256sum "$file"
        fi
      done >\(place.folder)/changed
      cat \(place.folder)/changed >&2
      """)
  }

  func settings(
    _ settings: Lifecycle.Settings, _ place: ChannelPlace, _ database: PackageDatabase
  ) -> GuestScript {
    switch settings {
    case .changed:
      GuestScript(
        """
        if sha256sum -c --quiet \(place.folder)/changed >&2; then
          echo 'settings=kept'
        else
          echo 'settings=not kept as the administrator changed them'
        fi
        """, facts: [Fact("settings", equals: "kept")])
    case .untouched:
      GuestScript(
        """
        export LC_ALL=C
        \(names(database, place))
        \(database.settings)
        state=untouched
        mkdir -p \(place.folder)
        for name; do settings "$name"; done >\(place.settings)
        while read -r file; do
          for ending in .rpmnew .rpmsave .pacnew .pacsave .apk-new .dpkg-dist .dpkg-old .dpkg-new .ucf-dist .ucf-old; do
            if test -e "$file$ending"; then state="$file$ending was made, though nobody changed $file"; fi
          done
        done <\(place.settings)
        rm \(place.settings)
        echo "settings=$state"
        """, facts: [Fact("settings", equals: "untouched")])
    }
  }
}
