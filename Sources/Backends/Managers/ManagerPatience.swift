/// How long a manager is waited for. None of it is scaled: machines of managers are always accelerated.
package struct ManagerPatience: Sendable {
  /// For an answer to a question.
  package var question = Duration.seconds(30)
  /// For one delete.
  package var delete = Duration.seconds(90)
  /// For the ending of a script in a machine.
  package var ending = Duration.seconds(30)
  /// For the end of what a manager is still busy with (LXD gives up a stop that it has lost sight of after 30 s).
  package var busy = Duration.seconds(60)
  /// For a stop in order.
  package var stop = Duration.seconds(120)
  /// For the end of a preparation that nobody wants any more: an image is downloaded to its end first.
  package var preparing = Duration.seconds(180)
  /// Between two questions whether it is still being prepared: the first pause, and the longest.
  package var (pause, longestPause) = (Duration.milliseconds(100), Duration.seconds(2))
  /// Before something that failed is tried again; doubled each time.
  package var retry = Duration.milliseconds(500)
  /// For a request of a client that has ended to come to its daemon.
  package var straggler = Duration.milliseconds(500)
  /// How much longer than its deadline a launch may take to say by itself that it is late.
  package var launchGrace = Duration.seconds(10)
  /// How often a machine is looked at while it is used, and while it does not answer.
  package var (look, urgentLook) = (Duration.seconds(5), Duration.milliseconds(500))

  package init() {}
}
