import MusterDiagnostics
import MusterYAML

extension MatrixDecoder {
  /// What a test's lifecycle is about: on each distro the last of the steps that install a release. More than one where
  /// the steps are of different distros.
  /// - Parameter number: The test's.
  func releases(of test: Test, _ number: Int, _ names: Names, at span: Span) -> [StepTemplate.Channel] {
    let installing = test.provision.indices.filter { test.provision[$0].release != nil }
    let distros = provisions.indices.filter(test.distros.contains)
    let lists = distros.map { distro in
      installing.filter { test.provision[$0].when?.contains(test: number, distro: distro) ?? true }
    }
    // Where there are no distros at all, that is told.
    let last = Set(lists.isEmpty ? installing : lists.compactMap(\.last))
    if last.isEmpty {
      reportNoRelease(on: distros, names, at: span)
    } else if let without = lists.firstIndex(of: []) {
      report(
        "'lifecycle' is of a release, and on '\(names.distros[distros[without]])' the test installs none", at: span,
        hint: "choose the test's distros by 'distros: …', or the step's by 'when'", severity: .warning)
    }
    reportOthers(lists, test.provision, at: span)
    return last.sorted().compactMap { test.provision[$0].release }
  }

  private func reportNoRelease(on distros: [Int], _ names: Names, at span: Span) {
    for distro in distros {
      guard let step = provisions[distro].first(where: { $0.release != nil }) else { continue }
      report(
        "'lifecycle' is of a release that the test installs, and only the distro '\(names.distros[distro])' installs one",
        at: span, hint: "write the step into the test's own 'provision'",
        notes: [.init("'\(names.distros[distro])' installs it here", at: step.span)])
      return
    }
    report(
      "'lifecycle' is of a release, and no step of 'provision' installs one", at: span,
      hint: "use a channel there: \(ChannelStep.Channel.allCases.map(\.rawValue).joined(separator: ", "))")
  }

  /// Warns of a release that is installed beside another, for nothing happens to it.
  private func reportOthers(_ lists: [[Int]], _ steps: [StepTemplate], at span: Span) {
    for list in lists {
      guard let last = list.last, let release = steps[last].release,
        let other = list.first(where: { steps[$0].release.map { !$0.isSame(as: release) } ?? false })
      else { continue }
      report(
        "'lifecycle' is of the last release that is installed, and there is another before it", at: span,
        hint: "write a test of its own for each",
        notes: [
          .init("this is the last", at: steps[last].span), .init("nothing happens to this one", at: steps[other].span),
        ], severity: .warning)
      return
    }
  }
}

extension StepTemplate {
  /// The release that the step installs.
  fileprivate var release: Channel? {
    if case .channel(let channel) = action { channel } else { nil }
  }
}

extension StepTemplate.Channel {
  /// Whether both are of the same packages from the same place, be it in different versions.
  fileprivate func isSame(as other: Self) -> Bool {
    channel == other.channel && packages == other.packages && source == other.source && base == other.base
  }
}
