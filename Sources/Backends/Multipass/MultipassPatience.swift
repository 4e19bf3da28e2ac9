/// How long Multipass is waited for. None of it is scaled: machines of Multipass are always accelerated.
struct MultipassPatience: Sendable {
  /// For an answer to a question.
  var question = Duration.seconds(30)
  /// For one delete.
  var delete = Duration.seconds(180)
  /// For the ending of a script in a machine.
  var ending = Duration.seconds(30)
  /// For a stop in order.
  var stop = Duration.seconds(120)
  /// For the end of a preparation that nobody wants any more: an image is downloaded to its end first.
  var preparing = Duration.seconds(180)
  /// Between two questions whether it is still being prepared: the first pause, and the longest.
  var (pause, longestPause) = (Duration.milliseconds(100), Duration.seconds(2))
  /// Before something that failed is tried again; doubled each time.
  var retry = Duration.milliseconds(500)
  /// For a request of a client that has ended to come to the daemon.
  var straggler = Duration.milliseconds(500)
  /// How much longer than its deadline a launch may take to say by itself that it is late.
  var launchGrace = Duration.seconds(10)
  /// How often a machine is looked at while it is used, and while it does not answer.
  var (look, urgentLook) = (Duration.seconds(5), Duration.milliseconds(500))
}
