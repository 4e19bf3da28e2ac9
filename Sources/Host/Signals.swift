import UnixSignals

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The signals that end a program, taken in order instead.
package enum Signals {
  /// Calls `body` for each INT, TERM, HUP and QUIT until the task is cancelled. A HUP that was ignored when the program
  /// was started, as by `nohup`, stays ignored.
  /// - Parameter ready: Called once signals are caught; before that they end the program.
  package static func handle(
    ready: @Sendable () -> Void = {}, _ body: @Sendable (Int32) async -> Void
  ) async {
    var wanted: [UnixSignal] = [.sigint, .sigterm, .sigquit]
    if !isIgnored(SIGHUP) { wanted.append(.sighup) }
    let signals = await UnixSignalsSequence(trapping: wanted)
    ready()
    for await signal in signals { await body(signal.rawValue) }
  }

  /// Ignores what ends a session or a job: for a process that has to come to its own end.
  package static func ignoreEndings() {
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP] { _ = signal(number, SIG_IGN) }
  }

  /// Writing to a pipe that nobody reads becomes an error of the write, for this process; children start with the
  /// default, as `HostCommand` resets it.
  package static func ignoreBrokenPipes() {
    brokenPipesAreIgnored
  }

  private static let brokenPipesAreIgnored: Void = {
    _ = signal(SIGPIPE, SIG_IGN)
  }()

  /// Ends this process by a signal, so that whoever waits for it sees that.
  package static func die(by number: Int32) -> Never {
    _ = signal(number, SIG_DFL)
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    // A core would be of no use to anybody.
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    #if canImport(Darwin)
      unsafe setrlimit(RLIMIT_CORE, &limit)
    #else
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    #endif
    // To this very thread: sent to the process, it might come to another while this one goes on.
    raise(number)
    // Only a signal that does not end a process comes here.
    _exit(128 + number)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
      let handler = unsafe action.__sigaction_u.__sa_handler
    #else
      let handler = unsafe action.__sigaction_handler.sa_handler
    #endif
    return unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
