import MusterCatalog
import MusterMatrix

extension CheckStep {
  /// Asks the database of the family's package manager: an exit status alone says little.
  static func package(_ name: String, _ version: MaskedText?, _ family: Family) -> GuestScript {
    let package = Shell.quote(name)
    let lines =
      switch family {
      case .debian:
        // The second letter of the state is `i` when the package is installed in full, the third is a mark of trouble.
        """
        status=0
        entry=$(dpkg-query -W -f '${db:Status-Abbrev}=${Version}\\n' \(package)) || status=$?
        if test "$status" -gt 1; then exit 69; fi
        entry=$(echo "$entry" | head -n 1)
        case $entry in
          ?i' ='*) echo 'package=installed' ;;
          '' | ?n*) echo 'package=not installed' ;;
          ?c*) echo 'package=removed, configuration left' ;;
          *) echo "package=not installed in full (dpkg state ${entry%%=*})" ;;
        esac
        version=${entry#*=}
        """
      case .fedora, .suse:
        """
        export LC_ALL=C
        if version=$(rpm -q --qf '%{EVR}\\n' \(package)); then
          echo 'package=installed'
          version=$(echo "$version" | tail -n 1)
        else
          case $version in
            *'is not installed') echo 'package=not installed' ;;
            *) exit 69 ;;
          esac
          exit
        fi
        """
      case .arch:
        """
        if version=$(pacman -Q \(package)); then
          echo 'package=installed'
          version=${version##* }
        else
          echo 'package=not installed'
          exit
        fi
        """
      case .alpine:
        """
        if apk info -e \(package) >/dev/null; then
          echo 'package=installed'
          version=$(apk list --installed \(package) | head -n 1)
          version=${version%% *}
          version=${version#\(package)-}
        else
          echo 'package=not installed'
          exit
        fi
        """
      }
    let tool = [.debian: "dpkg-query", .fedora: "rpm", .suse: "rpm", .arch: "pacman", .alpine: "apk"][family] ?? "rpm"
    return GuestScript(
      """
      if ! command -v \(tool) >/dev/null; then
        echo '\(tool) is not installed' >&2
        exit 69
      fi
      \(lines)
      echo "version=$version"
      """,
      facts: Fact.installed(version))
  }
}
