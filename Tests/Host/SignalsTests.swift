import Glibc
import MusterHost
import Testing

@Suite(.timeLimit(.minutes(2)), .serialized) struct SignalsTests {
  /// In this process itself: a signal that is not caught ends the tests.
  @Test(arguments: [SIGINT, SIGTERM, SIGQUIT])
  func aSignalIsTold(signal: Int32) async throws {
    let (told, teller) = AsyncStream<Int32>.makeStream()
    let task = Task {
      await Signals.handle(ready: { kill(getpid(), signal) }, { teller.yield($0) })
    }
    var signals = told.makeAsyncIterator()
    #expect(await signals.next() == signal)
    kill(getpid(), signal)
    #expect(await signals.next() == signal)
    task.cancel()
    await task.value
  }
}
