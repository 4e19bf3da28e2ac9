/// What makes a machine that was saved, and now goes on as one of many, a machine of its own: the time, random numbers, its
/// id, its host key.
///
/// All of it is done by built-ins of the shell and one small program, since every process costs an emulated machine some
/// hundredths of a second.
package struct Awakening: Sendable {
  /// The machine's own ed25519 key as its file has it, and the public one: a line without its end.
  package var hostPrivateKey: String
  package var hostPublicKey: String
  /// 32 lowercase hexadecimal digits.
  package var machineID: String

  /// With an id of its own.
  package init(hostPrivateKey: String, hostPublicKey: String) {
    self.hostPrivateKey = hostPrivateKey
    self.hostPublicKey = hostPublicKey
    machineID = ShellText.randomName()
  }

  /// The word of a machine that is awake, and whose ssh server takes its own key just now.
  static let restarting = "awake restarting"

  /// Where the program waits: in a folder that no file system forbids to execute from. It removes itself.
  private static let program = "/root/.muster-awake"
  private static let input = "/run/muster-awake"
  /// When the first timer is due that is set by the calendar; seconds since 1970.
  private static let due = "/run/muster-due"

  /// The commands for a machine that is about to be saved. Ends with `prepared`, or `unable WHY`.
  static let preparation = """
    case $(uname -m) in
      \(["x86_64", "aarch64"].map { "\($0)) program='\(octal(AwakeningProgram.file($0) ?? []))' ;;" }.joined(separator: "\n  "))
      *) finish 'unable unknown processor' ;;
    esac
    [ -d /run ] || finish 'unable no /run'
    umask 077
    printf '%b' "$program" >\(program) && chmod 700 \(program) || finish 'unable cannot write'
    due=99999999999
    if command -v systemctl >/dev/null; then
      for timer in $(\(calendarTimers)); do
        \(nextElapse)
        [ "$at" -ge "$due" ] || due=$at
      done
    fi
    echo "$due" >\(due)
    sync
    finish prepared
    """

  /// Lists the timers that go by the calendar, a line each: others do not notice that the clock is set.
  private static let calendarTimers = """
    systemctl list-units --type=timer --state=active --plain --no-legend --full | while read -r timer rest; do
      case $(systemctl show -p TimersCalendar --value "$timer") in ?*) echo "$timer" ;; esac
    done
    """

  /// When `$timer` is due next, as `$at`: seconds since 1970, 0 where it cannot be told.
  private static let nextElapse = """
    at=$(systemctl show -p NextElapseUSecRealtime --value "$timer")
    case $at in ''|n/a) at=99999999999 ;; *) at=$(date -d "$at" +%s) || at=0 ;; esac
    """

  /// The commands for a machine that goes on. Ends with `awake`, or `unable WHY`.
  /// - Parameters:
  ///   - time: The time, in nanoseconds since 1970.
  ///   - entropy: 32 bytes that nobody knows.
  func script(time: Int64, entropy: [UInt8]) -> String {
    """
    umask 077
    printf '%b' '\(Self.octal(Self.words(time: time, entropy: entropy)))' >\(Self.input)
    read -r due <\(Self.due)
    timers=
    # What became due while the machine was saved would start as soon as the clock is set, and wrongly. Held by a condition, it
    # is skipped this time.
    if [ \(time / 1_000_000_000) -ge "$due" ]; then
      timers=$(\(Self.calendarTimers))
      held=$(for timer in $timers; do systemctl show -p Unit --value "$timer"; done)
      for unit in $held; do
        mkdir -p "/run/systemd/system/$unit.d"
        printf '[Unit]\\nConditionPathExists=/run/muster-never\\n' >"/run/systemd/system/$unit.d/muster.conf"
      done
      systemctl daemon-reload
    fi
    links=
    if read -r old </etc/machine-id; then
      # What the journal holds is found by the new id too.
      for folder in /run/log/journal /var/log/journal; do
        [ -d "$folder/$old" ] && links="$links $old $folder/\(machineID)"
      done
      echo \(machineID) >/etc/machine-id
      [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ] && echo \(machineID) >/var/lib/dbus/machine-id
    fi
    \(Self.program) \(Self.input) $links <\(Self.input) || finish 'unable the clock or the random pool cannot be set'
    if [ -n "$timers" ]; then
      for timer in $timers; do
        n=0
        while \(Self.nextElapse); [ "$at" -gt 0 ] && [ "$at" -le \(time / 1_000_000_000) ] && [ $n -lt 50 ]; do
          sleep 0.2
          n=$((n + 1))
        done
      done
      for unit in $held; do rm -r "/run/systemd/system/$unit.d/muster.conf"; done
      systemctl daemon-reload
    fi
    if [ -f /etc/ssh/ssh_host_ed25519_key ]; then
      printf '%s' \(ShellText.quoted(hostPrivateKey)) >/etc/ssh/ssh_host_ed25519_key
      printf '%s\\n' \(ShellText.quoted(hostPublicKey)) >/etc/ssh/ssh_host_ed25519_key.pub
      for file in /run/sshd.pid /var/run/sshd.pid; do
        read -r server <"$file" && kill -HUP "$server" && finish '\(Self.restarting)'
      done
    fi
    finish awake
    """
  }

  /// A `timespec` and a `rand_pool_info`, as the program reads them.
  private static func words(time: Int64, entropy: [UInt8]) -> [UInt8] {
    (time / 1_000_000_000).littleEndianBytes + (time % 1_000_000_000).littleEndianBytes
      + Int32(entropy.count * 8).littleEndianBytes + Int32(entropy.count).littleEndianBytes + entropy
  }

  /// Bytes for `%b` of the shell's `printf`.
  private static func octal(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 8)
      return "\\0" + String(repeating: "0", count: 3 - digits.count) + digits
    }.joined()
  }
}

extension FixedWidthInteger {
  /// The bytes of its representation, the lowest first.
  var littleEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) }
  }
}
