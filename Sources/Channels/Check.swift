package import MusterCatalog
package import MusterMatrix

extension CheckStep {
  /// What is looked at, as a person says it: `service greeterd`.
  package var subject: String {
    switch self {
    case .command(let name): "command \(name)"
    case .file(let file): "file \(file.path)"
    case .package(let name, _): "package \(name)"
    case .service(let name, _): "service \(name)"
    case .port(let number, let transport, _): "port \(number)/\(transport.rawValue)"
    case .user(let user): "user \(user.name)"
    case .process(let name, _): "process \(name)"
    }
  }

  /// A script that finds out, without changing anything. It exits 0 whether or not the expectation holds, prints a
  /// line `name=value` for each fact, and exits 69 when it cannot find out.
  package func script(for family: Family) -> GuestScript {
    switch self {
    case .command(let name): Self.command(name)
    case .file(let file): file.script
    case .package(let name, let version): Self.package(name, version, family)
    case .service(let name, let state): Self.service(name, state)
    case .port(let number, let transport, let open): Self.port(number, transport, open: open)
    case .user(let user): user.script
    case .process(let name, let running): Self.process(name, running: running)
    }
  }

  private static func command(_ name: String) -> GuestScript {
    GuestScript(
      """
      if path=$(command -v \(Shell.quote(name))); then
        echo 'command=on PATH'
        echo "path=$path"
      else
        echo 'command=not on PATH'
        echo "PATH is $PATH" >&2
      fi
      """,
      facts: [Fact("command", equals: "on PATH")])
  }

  /// A service that is not there is neither inactive nor disabled.
  private static func service(_ name: String, _ state: ServiceState) -> GuestScript {
    let unit = Shell.quote(name)
    let (systemd, openRC) =
      switch state {
      case .active, .inactive, .failed:
        (
          """
          state=$(systemctl is-active -- \(unit)) || :
          """,
          """
          status=0
            rc-service \(unit) status >&2 || status=$?
            case $status in
              0) state=active ;;
              3) state=inactive ;;
              32) state=failed ;;
              *) state="unknown to OpenRC (status $status)" ;;
            esac
          """
        )
      case .enabled, .disabled:
        (
          """
          state=$(systemctl is-enabled -- \(unit)) || :
            case $state in
              alias | enabled-runtime) state=enabled ;;
            esac
          """,
          """
          state=disabled
            for link in /etc/runlevels/*/\(unit); do
              if test -L "$link" || test -e "$link"; then state=enabled; fi
            done
          """
        )
      }
    return GuestScript(
      """
      if test -d /run/systemd/system; then
        if test "$(systemctl show -p LoadState -- \(unit))" = LoadState=not-found; then
          echo 'service=no such service'
          exit
        fi
        \(systemd)
        if test -z "$state"; then exit 69; fi
        systemctl status --no-pager --lines=10 -- \(unit) >&2 || :
      elif command -v rc-service >/dev/null; then
        if ! rc-service -e \(unit); then
          echo 'service=no such service'
          exit
        fi
        \(openRC)
      else
        echo 'this machine has neither systemd nor OpenRC' >&2
        exit 69
      fi
      echo "service=$state"
      """,
      facts: [Fact("service", equals: MaskedText(state.rawValue))])
  }

  /// The kernel's own tables: no tool is needed. State 0A is a listening TCP socket, 07 an unconnected UDP one.
  private static func port(_ number: Int, _ transport: Transport, open: Bool) -> GuestScript {
    var port = String(number, radix: 16, uppercase: true)
    port = String(repeating: "0", count: max(0, 4 - port.count)) + port
    let state = transport == .tcp ? "0A" : "07"
    return GuestScript(
      """
      known=no
      state=closed
      for table in /proc/net/\(transport.rawValue) /proc/net/\(transport.rawValue)6; do
        test -r "$table" || continue
        known=yes
        while read -r _ local _ status _; do
          case "$local $status" in
            *':\(port) \(state)') state=open ;;
          esac
        done <"$table"
      done
      if test "$known" = no; then
        echo 'the kernel does not tell its sockets in /proc/net' >&2
        exit 69
      fi
      echo "port=$state"
      """,
      facts: [Fact("port", equals: open ? "open" : "closed")])
  }

  /// A process's name is the kernel's (the first 15 bytes of its program's file name); a longer one is compared with
  /// the name of the program as it was called. Dead processes that nobody waited for do not count.
  private static func process(_ name: String, running: Bool) -> GuestScript {
    let short = String(decoding: Array(name.utf8.prefix(15)), as: UTF8.self)
    let isLong = short != name
    return GuestScript(
      """
      if ! test -r /proc/self/status; then
        echo 'the kernel does not tell its processes in /proc' >&2
        exit 69
      fi
      state='not running'
      for folder in /proc/[0-9]*; do
        test "${folder#/proc/}" != $$ || continue
        read -r name 2>/dev/null <"$folder/comm" || continue
        test "$name" = \(Shell.quote(short)) || continue
      \(isLong ? """
        called=$(tr '\\0' '\\n' 2>/dev/null <"$folder/cmdline" | head -n 1) || continue
        test "${called##*/}" = \(Shell.quote(name)) || continue

      """ : "")  while read -r key value _; do
          if test "$key" = State: && test "$value" != Z && test "$value" != X; then state=running; fi
        done 2>/dev/null <"$folder/status" || :
      done
      echo "process=$state"
      """,
      facts: [Fact("process", equals: running ? "running" : "not running")])
  }
}

extension UserCheck {
  var script: GuestScript {
    let user = Shell.quote(name)
    var facts = [Fact("user", equals: exists ? "exists" : "does not exist")]
    if exists {
      if let home { facts.append(Fact("home", equals: MaskedText(home))) }
      if let shell { facts.append(Fact("shell", equals: MaskedText(shell))) }
    }
    let members = exists ? groups : []
    facts += members.map { Fact("group \($0)", equals: "member") }
    let groupLines = members.map { group in
      """

      case " $groups " in
        *' '\(Shell.quote(group))' '*) echo \(Shell.quote("group \(group)=member")) ;;
        *) echo \(Shell.quote("group \(group)=not a member")) ;;
      esac
      """
    }
    return GuestScript(
      """
      if ! id -u -- \(user) >/dev/null 2>&1; then
        echo 'user=does not exist'
        exit
      fi
      echo 'user=exists'
      if command -v getent >/dev/null; then
        entry=$(getent passwd \(user))
      else
        entry=$(grep \(Shell.quote("^\(name):")) /etc/passwd)
      fi
      echo "shell=${entry##*:}"
      entry=${entry%:*}
      echo "home=${entry##*:}"
      groups=$(id -nG -- \(user))
      echo "groups=$groups"\(groupLines.joined())
      """,
      facts: facts)
  }
}
