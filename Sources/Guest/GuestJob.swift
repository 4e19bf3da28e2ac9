/// A shell program for a machine, as a `JobCarrier` brings it there. It stands in a private folder, `$d`, and is read to its
/// end before its first line is executed, so that half of one that came through never does anything.
///
/// It writes down its session, by which it can be ended. While it runs, descriptor 4 is the standard error that the host
/// sees, and its own messages go to a note. `finish WORD` removes the folder and ends it.
///
/// By a lane it is the same program, less what was done when the lane was made: there are a session, a folder and an
/// environment, and no shell more is started than its script's own.
struct GuestJob: Sendable {
  /// Names the private folder; also in the environment of what a script starts (`MUSTER_STEP`), to find it by.
  let id: String
  /// The number in the markers.
  let number: String
  let text: String
  /// What the program reads itself.
  private(set) var input: [UInt8] = []

  /// What every machine is asked to execute: it makes the private folder, takes the program up to a line that is told
  /// beforehand, and becomes it. Nothing of a script is ever in a command line.
  ///
  /// Every process that a shell starts costs an emulated machine some hundredths of a second, so there are few.
  static let remoteCommand = "sh -c '\(receiving)'"

  private static let receiving =
    "umask 077; IFS= read -r i && IFS= read -r m || exit 1; d=/run/muster-$i; "
    + "mkdir \"$d\" \"$d/in\" 2>/dev/null || { d=/tmp/muster-$i; mkdir \"$d\" \"$d/in\" || exit 1; }; "
    + "while IFS= read -r l; do if [ \"$l\" = \"$m\" ]; then exec sh \"$d/job\" \"$d\" 3>&-; fi; "
    + "printf \"%s\\n\" \"$l\" >&3 || exit 1; done 3>\"$d/job\"; rm -rf \"$d\"; exit 1"

  /// The first line of a file that does the same when `sh` is given its path: the header and what the program reads come
  /// after it. The file removes itself.
  static let fileHead = "{ exec <\"$0\" && IFS= read -r i && rm -f \"$0\" || exit 1; \(receiving); }\n"

  /// The bytes for its standard input; what a feed writes comes after them.
  var bytes: [UInt8] {
    let end = ShellText.randomName()
    return Array("\(id)\n\(end)\n\(text)\n\(end)\n".utf8) + input
  }

  /// A script before may have cleared away what was not its own.
  private static let lookingAfterFolder = "[ -d \"$d/in\" ] || mkdir \"$d\" \"$d/in\" 2>/dev/null"

  /// - Parameters:
  ///   - body: The commands of `main`, after it has begun.
  ///   - functions: Definitions that they use.
  ///   - lane: The name of the lane that brings it, which is its id then.
  ///   - input: What the program reads itself.
  init(
    _ body: String, functions: String = "", id: String = ShellText.randomName(), lane: String? = nil,
    input: [UInt8] = []
  ) {
    self.input = input
    self.id = lane ?? id
    number = ShellText.randomName()
    let marker = "\\036muster:\(number):"
    let removal = "rm -rf \"$d\""
    // The shell of a lane knows its folder and its session.
    let searching = """
      d=$1
      read -r _ _ _ _ group session _ <"/proc/$$/stat"
      # Some ssh servers, and LXD, give all that they execute the same session, and by it could nothing be ended alone.
      if [ "$group" != $$ ] && [ "$session" != $$ ] && [ -z "$2" ] && command -v setsid >/dev/null; then
        exec setsid sh "$d/job" "$d" again
      fi
      """
    text = """
      finish() {
        \(lane == nil ? removal : "")
        printf '\(marker)end\\n'
        printf '\(marker)%s\\n' "$1" >&4
        \(lane == nil ? "" : removal)
        exit 0
      }
      \(functions)
      main() {
        \(lane == nil ? searching : Self.lookingAfterFolder)
        exec 4>&2 2>"$d/note"
        printf '\(marker)begin\\n'
        printf '\(marker)begin\\n' >&4
        umask 022
        echo "$session $$" >"$d/session"
        [ -e "$d/cancelled" ] && finish cancelled
        # A script may send signals to its process group, which is this shell's too. What it starts has them as they were.
        trap : HUP INT QUIT USR1 USR2 ALRM TERM
      \(body)
      }
      main "$@"
      """
  }
}

extension GuestJob {
  /// Runs a script. It ends with `exit N`, `signal N`, or with a word for why the script was not started: `incomplete`,
  /// `cancelled`, `no-user`, `no-change WHY`, `no-folder`, `no-shell`.
  ///
  /// A shell tells a child that a signal ended by its status alone, which `exit 137` looks like too. But it also says
  /// so on its standard error, whichever shell it is, and only then is there a note. So the script's own streams are put
  /// in place by what it starts: dash and BusyBox would write that to where a command's error output was led.
  init(running command: GuestCommand, lane: String? = nil) {
    let id = lane ?? ShellText.randomName()
    let choosing =
      command.user.map {
        """
        user=\(ShellText.quoted($0))
        id -u "$user" >/dev/null 2>&1 || finish no-user
        eval "home=~$user"
        chmod 711 "$d"
        [ "$(id -u)" -eq 0 ] && chown -R "$user" "$d/in"
        """
      } ?? Self.ownUser
    let becoming =
      command.user == nil
      ? "\"$@\""
      : """
      if setpriv --help 2>&1 | grep -q init-groups; then
        setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"
      else
        su -s /bin/sh -c 'exec "$0" "$@"' -- "$user" "$@"
      fi
      """
    let entering = Self.entering(command)
    let starting =
      lane != nil && command.user == nil
      ? """
      (
      set -- "$d/in"
      export MUSTER_STEP=\(id)
      \(entering)
      )
      """
      : """
      printf '%s' \(ShellText.quoted(entering)) >"$d/in/enter" || finish incomplete
      \(choosing)
      [ -d "$home" ] || home=/
      set -- env -i \(Self.environment) MUSTER_STEP=\(id) sh "$d/in/enter" "$d/in"
      exec 2>"$d/note"
      \(becoming)
      """
    let size = command.script.utf8.count
    // A shell reads one byte at a time, and still has some thousand before two processes are started. What is longer is
    // told by its size: a lane has no end of file.
    let isShort = size <= 4096
    let storing =
      isShort
      ? "printf '%s' \(ShellText.quoted(command.script)) >\"$d/in/script\" || finish incomplete"
      : """
      head -c \(size) >"$d/in/script"
      [ "$(wc -c <"$d/in/script")" -eq \(size) ] || finish incomplete
      """
    self.init(
      """
      \(storing)
      \(starting)
      status=$?
      exec 2>/dev/null
      # A script that has removed it has been started.
      if [ -d "$d/in" ]; then
        [ -e "$d/in/entered" ] || finish "no-change $(tail -n 1 "$d/note" | cut -c 1-150)"
        if [ -s "$d/in/why" ]; then
          read -r why <"$d/in/why"
          finish "$why"
        fi
      fi
      if [ "$status" -gt 128 ] && [ -s "$d/note" ]; then finish "signal $((status - 128))"; fi
      finish "exit $status"
      """, id: id, lane: lane)
    if !isShort { input = Array(command.script.utf8) }
  }

  /// Whoever logged in stays what they are; the ssh server has told the shell who that is.
  static let ownUser = "user=${USER:-$(id -un)} home=${HOME:-/}"

  /// The variables of every script, of `$user` whose home is `$home`.
  static let environment =
    "HOME=\"$home\" USER=\"$user\" LOGNAME=\"$user\" SHELL=/bin/sh LANG=C.UTF-8 TERM=dumb "
    + "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// What the user's own shell does before it becomes the interpreter: the folder and the variables. `$1` is the folder
  /// of the script.
  private static func entering(_ command: GuestCommand) -> String {
    let folder =
      command.directory.map { "cd \(ShellText.quoted($0)) 2>/dev/null || { echo no-folder >\"$1/why\"; exit 1; }" }
      ?? "cd \"$HOME\" 2>/dev/null || cd /"
    let variables = command.environment.map { "export \($0.name)=\(ShellText.quoted($0.value))" }
    let shell = command.shell.isEmpty ? ["sh"] : command.shell
    return """
      : >"$1/entered"
      exec </dev/null 2>&4 4>&-
      \(folder)
      \(variables.joined(separator: "\n"))
      command -v \(ShellText.quoted(shell[0])) >/dev/null 2>&1 || { echo no-shell >"$1/why"; exit 1; }
      exec \(shell.map(ShellText.quoted).joined(separator: " ")) "$1/script"

      """
  }

  /// Ends all that another job's script started: what is in its session, and what left that but has its environment.
  /// TERM, and KILL after `grace` tenths of a second. A job that has not begun yet never will.
  init(ending id: String, grace: Int = 20, lane: String? = nil) {
    self.init(
      """
      t=\(id)
      made=
      came=
      for f in "/run/muster-$t" "/tmp/muster-$t"; do
        if mkdir -m 700 "$f"; then made="$made $f"; elif [ -d "$f" ]; then came=1; fi
        : >"$f/cancelled"
      done
      target=
      for f in "/run/muster-$t" "/tmp/muster-$t"; do
        case " $made " in *" $f "*) continue ;; esac
        [ -d "$f" ] || continue
        n=0
        while [ ! -s "$f/session" ] && [ -d "$f" ] && [ $n -lt 50 ]; do pause; n=$((n + 1)); done
        read -r target job <"$f/session"
      done
      # Without setsid this job is in that session too: what was started is found by its environment alone.
      [ "$target" = "$session" ] && members() { :; }
      signal=TERM
      n=0
      while [ $n -lt 100 ]; do
        found=$(members)
        [ -z "$found" ] && found=$(strays)
        [ -z "$found" ] && break
        [ $n -eq \(grace) ] && signal=KILL
        kill -$signal $found
        n=$((n + 1))
        pause
      done
      # Where there is no job yet, it cannot make its folder for as long as there is one.
      if [ -n "$came" ]; then
        rm -rf $made
      else
        (sleep 60; rm -rf $made) </dev/null >/dev/null 2>&1 4>&- &
      fi
      finish "left $n"
      """,
      functions: """
        pause() { sleep 0.1 || sleep 1; }
        members() {
          for f in /proc/[0-9]*; do
            read -r line <"$f/stat" || continue
            set -- ${line##*) }
            [ "$1" != Z ] && [ "$4" = "$target" ] && other "${f#/proc/}"
          done
        }
        strays() {
          # By three processes for all: tail writes a line with its path before each environment.
          tail -n +1 /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -E "^(==> /proc/|MUSTER_STEP=$t\\$)" |
            while read -r line f _; do
              case $line in
                "==>") f=${f#/proc/} process=${f%/environ} ;;
                *) other "$process" ;;
              esac
            done
        }
        other() {
          [ "$1" = "$target" ] || [ "$1" = "$job" ] || echo "$1"
        }
        """, lane: lane)
  }
}
