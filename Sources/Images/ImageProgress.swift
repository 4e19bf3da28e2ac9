import MusterHost

/// How far an image's preparation has come.
package struct ImageProgress: Sendable, Hashable {
  /// What is being done: `downloading`, `verifying`, `building`, `waiting for another process`.
  package var activity: String
  /// Bytes done, where bytes are counted.
  package var done: Int64?
  /// Bytes in all, where known.
  package var total: Int64?
  /// Time left, where it can be told.
  package var remaining: Duration?

  package init(
    activity: String, done: Int64? = nil, total: Int64? = nil, remaining: Duration? = nil
  ) {
    self.activity = activity
    self.done = done
    self.total = total
    self.remaining = remaining
  }
}

extension ImageProgress {
  /// For people, as in `debian/12, downloading: 40 % of 340 MB, 12s left`.
  /// - Parameter name: What the image is called.
  package func text(of name: String) -> String {
    var text = "\(name), \(activity)"
    if let done, let total, total > 0 {
      text += ": \(done * 100 / total) % of \(ByteCount(total))"
    } else if let done {
      text += ": \(ByteCount(done))"
    }
    if let remaining { text += ", \(remaining.human) left" }
    return text
  }
}
