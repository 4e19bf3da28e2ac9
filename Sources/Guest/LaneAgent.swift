/// The shell program that starts the lanes of a machine, and what waits in each of them.
///
/// Every lane is a session of its own, in which nothing is of the connection that started it, and has the environment that
/// every script of the same user gets.
struct LaneAgent: Sendable {
  /// What of a machine leads to the host.
  struct Ports: Sendable {
    /// Shell commands that set `base` to what stands before the numbers of ports; they fail while `$last` is not there.
    var looking: String
    /// Shell commands that open the ports of the lane `$1` as descriptors 0 to 2: `$2` is the one that the job comes from and
    /// standard output goes to, `$3` is for standard error.
    var opening: String

    /// Ports of the machine's one virtio-serial device. The kernel lets each be opened once.
    static let virtio = Ports(
      looking: """
        set -- /dev/vport*p"$last"
        base=${1%"$last"}
        [ -c "$1" ]
        """,
      opening: "exec <>\"$2\" >&0 2>\"$3\"")
  }

  var lanes: [String]
  var ports = Ports.virtio
  var shell = "sh"

  /// Starts the lanes, all or none, and ends with `lanes N`: so many wait.
  var job: GuestJob {
    GuestJob(
      """
      command -v setsid >/dev/null || finish "lanes 0"
      last=$((2 * \(lanes.count)))
      n=0
      until look; do
        [ $n -eq 0 ] && modprobe virtio_console
        [ $n -lt 20 ] || finish "lanes 0"
        n=$((n + 1))
        sleep 0.1 || sleep 1
      done
      \(GuestJob.ownUser)
      [ -d "$home" ] || home=/
      printf '%s' \(ShellText.quoted(program)) >"$d/lane" || finish "lanes 0"
      # A shell's own background jobs would ignore some signals, and so would all scripts. The second setsid leads a group,
      # and therefore goes on in a process that is not waited for. Each lane has this pipe open until it has said that it waits.
      waiting=$(
        n=1
        for lane in \(lanes.joined(separator: " ")); do
          setsid setsid env -i \(GuestJob.environment) \(shell) "$d/lane" "$lane" "$base$n" "$base$((n + 1))" 4>&-
          n=$((n + 2))
        done
      )
      set -- $waiting
      [ $(($# / 2)) -eq \(lanes.count) ] && finish "lanes \(lanes.count)"
      while [ $# -gt 1 ]; do
        kill "$1"
        rm -rf "$2"
        shift 2
      done
      finish "lanes 0"
      """,
      functions: """
        look() {
        \(ports.looking)
        }
        """)
  }

  /// What waits in a lane. Its arguments are the lane's name and ports; what it reads are a `GuestJob`'s bytes, and like
  /// there the program is read to its end before it is executed.
  private var program: String {
    """
    lane() {
      exec 5>&1
      \(ports.opening)
      umask 077
      d=/run/muster-$1
      mkdir "$d" "$d/in" 2>/dev/null || {
        d=/tmp/muster-$1
        mkdir "$d" "$d/in" 2>/dev/null || exit 1
      }
      # A port can be opened once only, but what a script's streams lead to may be opened by name, as /dev/stderr is: that must
      # be pipes. What brings on what comes out of them is in sessions of its own, and no program that scripts end by its name.
      mkfifo "$d/out" "$d/err" || exit 1
      setsid dd bs=64k <"$d/out" 2>/dev/null 5>&- &
      setsid dd bs=64k <"$d/err" >&2 2>/dev/null 5>&- &
      exec >"$d/out" 2>"$d/err"
      session=$$
      echo "$session $$" >"$d/session" || exit 1
      cd /
      echo "$$ $d" >&5
      exec 5>&-
      # The host makes sure that somebody is at the other end.
      IFS= read -r l && printf '%s\\n' "$l"
      IFS= read -r i && IFS= read -r m
      text=
      while IFS= read -r l; do
        [ "$l" = "$m" ] && eval "$text"
        text="$text$l
    "
      done
      rm -rf "$d"
    }
    lane "$@"

    """
  }
}
