import ArgumentParser
import MusterReports

extension ExitCode {
  init(_ status: ExitStatus) {
    self.init(status.rawValue)
  }
}
