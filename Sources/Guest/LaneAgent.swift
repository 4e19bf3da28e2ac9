/// The shell program that starts the lanes of a machine, and what waits in each of them.
///
/// Every lane is a session of its own, in which nothing is of the connection that started it, and has the environment that
/// every script of the same user gets.
struct LaneAgent: Sendable {
  /// What of a machine leads to the host.
  struct Ports: Sendable {
    /// Shell commands that set `base` to what stands before the numbers of ports; they fail while `$last` is not there.
    var looking: String
    /// Shell commands that open the ports of the lane `$1`: as descriptor 6 the one that the job comes from, as 7 and 8 those
    /// that standard output and standard error go to. `$2` is the first port of a device, `$3` the second.
    var opening: String

    /// Ports of the machine's one virtio-serial device. The kernel lets each be opened once.
    static let virtio = Ports(
      looking: """
        set -- /dev/vport*p"$last"
        base=${1%"$last"}
        [ -c "$1" ]
        """,
      opening: "exec 6<>\"$2\" 7>&6 8>\"$3\"")
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
      printf '%s' \(ShellText.quoted(program)) >"$d/lane" && printf '%s' \(ShellText.quoted(launcher)) >"$d/launch" ||
        finish "lanes 0"
      place=/run/muster-
      [ -w /run ] || place=/tmp/muster-
      # Each lane has this pipe open until it has said that it waits.
      waiting=$(setsid env -i \(GuestJob.environment) \(shell) "$d/launch" "$base" "$d/lane" "$place" 4>&-)
      set -- $waiting
      [ $(($# / 2)) -eq \(lanes.count) ] && finish "lanes \(lanes.count)"
      while [ $# -gt 1 ]; do
        kill "$1"
        shift 2
      done
      for lane in \(lanes.joined(separator: " ")); do rm -rf "$place$lane"; done
      finish "lanes 0"
      """,
      functions: """
        look() {
        \(ports.looking)
        }
        """)
  }

  /// What starts them. Its arguments are what stands before the numbers of ports, the file of `program`, and what stands before
  /// the lanes' names in the paths of their folders.
  ///
  /// A port can be opened once only, but what a script's streams lead to may be opened by name, as /dev/stderr is: that must be
  /// pipes. What brings on what comes out of them is in this session, and no program that scripts end by its name.
  private var launcher: String {
    """
    open() {
    \(ports.opening)
    }
    umask 077
    folders=
    pipes=
    for lane in \(lanes.joined(separator: " ")); do
      folders="$folders $3$lane $3$lane/in"
      pipes="$pipes $3$lane/out $3$lane/err"
    done
    mkdir $folders && mkfifo $pipes || exit 1
    n=1
    for lane in \(lanes.joined(separator: " ")); do
      d=$3$lane
      open "$lane" "$1$n" "$1$((n + 1))"
      dd bs=64k <"$d/out" >&7 2>/dev/null 6>&- 7>&- 8>&- &
      dd bs=64k <"$d/err" >&8 2>/dev/null 6>&- 7>&- 8>&- &
      # A shell's own background jobs would ignore some signals, and so would all scripts. The second setsid leads a group, and
      # therefore goes on in a process that is not waited for.
      setsid setsid \(shell) "$2" "$lane" "$d" 5>&1 <&6 >"$d/out" 2>"$d/err" 6>&- 7>&- 8>&-
      n=$((n + 2))
    done

    """
  }

  /// What waits in a lane. Its arguments are the lane's name and folder, its standard streams are the lane's, and to descriptor 5 it says
  /// that it waits; what it reads are a `GuestJob`'s bytes, and like there the program is read to its end before it is executed.
  private var program: String {
    """
    lane() {
      umask 077
      d=$2
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
