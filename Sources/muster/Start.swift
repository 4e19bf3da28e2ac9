import MusterCommands

@main
struct Start {
  static func main() async {
    await Muster.start()
  }
}
