import MusterHost

extension SSHGuest {
  /// Prepares the machine to be saved, so that others can go on from it; the reason where that is impossible.
  /// - Throws: `GuestError`, `CancellationError`.
  package func prepareForSaving(deadline: Duration) async throws -> String? {
    let word = try await runner.perform(GuestJob(Awakening.preparation), deadline: deadline).word
    return word == "prepared" ? nil : "its guest cannot be prepared: \(word)"
  }

  /// Makes a machine that was saved and goes on a machine of its own. It is ready for its first step when this returns.
  /// - Parameter time: Gives the time, in nanoseconds since 1970.
  /// - Throws: `GuestError`, `Failure`, `CancellationError`.
  package func awaken(_ awakening: Awakening, time: @Sendable () -> Int64) async throws {
    let lane = lanes?.take()
    // A connection may take a second; the time is told once it is there.
    while lane == nil, let refusal = await probe(deadline: .seconds(60)) {
      try Task.checkCancellation()
      if refusal.code == .host { throw Failure(.host, refusal.message) }
      try await Task.sleep(for: .milliseconds(100))
    }
    let entropy = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    let job = GuestJob(awakening.script(time: time(), entropy: entropy), lane: lane?.name)
    do {
      let word = try await runner.perform(job, by: lane, deadline: nil, isEnded: false).word
      if word == Awakening.restarting { carrier.serverRestarts() }
      guard word.hasPrefix("awake") else { throw Failure(.guest, "the saved machine does not wake up: \(word)") }
    } catch let error as GuestError {
      throw Failure(.guest, "the saved machine does not answer: \(error.message)", canPass: true)
    }
  }
}

extension GuestIdentity {
  /// The same keys, but for a host key of the machine's own that is made in `folder`. The one that all know counts until the
  /// machine has its own.
  /// - Throws: `Failure`, `CancellationError`.
  package func withOwnHostKey(in folder: String) async throws -> GuestIdentity {
    let paths = Self.ownNames.map { "\(folder)/\($0)" }
    let (key, known) = (paths[0], paths[2])
    try await Self.makeKey(key)
    var own = self
    own.hostPrivateKey = try FileSystem.readText(key)
    own.hostPublicKey = try Self.line("\(key).pub")
    own.knownHostsPath = known
    try FileSystem.write(
      "\(Self.hostAlias) \(hostPublicKey)\n\(Self.hostAlias) \(own.hostPublicKey)\n", to: known, mode: 0o600)
    return own
  }

  /// The names of what `withOwnHostKey` makes.
  package static let ownNames = ["host_key", "host_key.pub", "known_hosts"]

  /// What gives a machine this host key.
  package var awakening: Awakening {
    Awakening(hostPrivateKey: hostPrivateKey, hostPublicKey: hostPublicKey)
  }
}

extension GuestPreparation {
  /// All that is done in a machine before it is saved, the same each time.
  package static var savingScript: String {
    let lanes = LaneAgent(lanes: Lanes.names(Lanes.most)).job
    return Awakening.preparation + lanes.text.replacing(lanes.number, with: "")
  }
}
