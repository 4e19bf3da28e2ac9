import MusterCatalog
import MusterMatrix

/// Gives a repository that was brought into the machine to the machine itself over HTTP, since package managers do not
/// treat a folder as they treat what they download.
enum RepositoryServer {
  /// The server outlives the connection that it is started by: it is systemd's, or in a session of its own. Any free port
  /// will do; it says which on its standard output once it listens, and after a restart of the machine it is that one.
  static func script(_ place: ChannelPlace, _ family: Family) -> GuestScript {
    let bring = InstallStep(packages: [family == .arch ? "python" : "python3"]).script(for: family).script
    return GuestScript(
      """
      if ! command -v python3 >/dev/null; then
        \(bring.replacing("\n", with: "\n  "))
      fi
      port=
      if test -s \(place.port); then port=$(cat \(place.port)); fi
      rm -f \(place.port).pipe
      mkfifo \(place.port).pipe
      set -- /bin/sh -c 'exec >"$1.pipe" 2>"$1.log"
        echo $$ >"$1.pid"
        cd "$2" && exec python3 -u -m http.server "$3" --bind 127.0.0.1' server \(place.port) \(place.repository) "${port:-0}"
      if test -d /run/systemd/system; then
        systemd-run --quiet --unit=\(place.name)-server "$@" </dev/null
      else
        setsid "$@" </dev/null >/dev/null 2>&1 &
      fi
      # The pipe ends when the server does.
      timeout 60 head -n 1 \(place.port).pipe | sed -n 's/.* port \\([0-9]*\\).*/\\1/p' >\(place.port)
      rm -f \(place.port).pipe
      if ! test -s \(place.port); then
        echo 'the server of the repository does not start' >&2
        cat \(place.port).log >&2
        exit 1
      fi
      echo "served at http://127.0.0.1:$(cat \(place.port))/"
      """)
  }
}
