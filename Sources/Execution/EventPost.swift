import MusterHost

/// Brings events to the sink: one at a time, in the order they were told, stamped with their time. Whoever tells one
/// waits until it has arrived; the sink never sees a cancelled task.
actor EventPost {
  private let sink: @Sendable (Event) async -> Void
  private let stopwatch = Stopwatch()
  private var last: Task<Void, Never>?

  init(sink: @escaping @Sendable (Event) async -> Void) {
    self.sink = sink
  }

  func send(_ kind: Event.Kind) async {
    let event = Event(time: Timestamp.now.milliseconds, elapsed: stopwatch.elapsed.seconds, kind: kind)
    let (previous, sink) = (last, sink)
    let delivery = Task {
      await previous?.value
      await sink(event)
    }
    last = delivery
    await delivery.value
  }
}
