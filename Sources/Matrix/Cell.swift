import MusterCatalog
package import MusterDiagnostics

/// One test on one distro, and one value of each further axis. Light: a matrix may have a hundred thousand, so that a
/// cell is a few numbers in a document that all of them share.
package struct Cell: Sendable {
  let document: Document
  let testNumber: Int32
  let distroNumber: Int32
  /// Which of its test's combinations of axis values.
  let combination: Int32
  /// The entries of `exclude` and `expect-failure` that speak of it; -1 for none.
  let exclusion: Int32
  let expectation: Int32
}

extension Cell {
  /// `test@distro`, or `test[memory=512M,locale=C]@distro`: what is printed can be typed.
  package var name: String { definition.cellName(distro: distro, combination: Int(combination)) }
  package var test: String { definition.name }
  package var distro: String { document.distros[Int(distroNumber)].name }
  package var axes: [AxisValue] {
    definition.axes.map { AxisValue(axis: $0.name, value: $0.values[$0.index(in: Int(combination))]) }
  }
  /// Where the test stands in the matrix.
  package var location: Location { definition.span.location }
  /// Why the matrix leaves it out; it is reported as skipped.
  package var excluded: Remark? { exclusion < 0 ? nil : document.exclusions[Int(exclusion)].remark }
  /// Why the matrix expects it to fail.
  package var expectedFailure: Remark? {
    expectation < 0 ? nil : document.expectedFailures[Int(expectation)].remark
  }
  /// What its failure must tell to be the expected one; `nil` for any.
  package var expectedMessage: String? { expectation < 0 ? nil : document.expectedFailures[Int(expectation)].message }

  var definition: Test { document.tests[Int(testNumber)] }
}

extension Test {
  func cellName(distro: String, combination: Int) -> String {
    if axes.isEmpty { return "\(name)@\(distro)" }
    var values: [String] = []
    for axis in axes {
      let value = axis.values[axis.index(in: combination)]
      // The ordinary course needs no words.
      if axis.name == Lifecycle.Course.axis, value == Lifecycle.Course.install.rawValue { continue }
      values.append("\(axis.name)=\(value)")
    }
    if values.isEmpty { return "\(name)@\(distro)" }
    return "\(name)[\(values.joined(separator: ","))]@\(distro)"
  }

  /// What a cell is about.
  func course(in combination: Int) -> Lifecycle.Course {
    guard let axis = axes.last, axis.name == Lifecycle.Course.axis else { return .install }
    return Lifecycle.Course(rawValue: axis.values[axis.index(in: combination)]) ?? .install
  }

  /// The architecture of a cell's machine: the axis `cpu`, or else the distro's.
  func cpu(in combination: Int, or cpu: CPU) -> CPU {
    guard let axis = cpuAxis else { return cpu }
    return CPU(rawValue: axes[axis].values[axes[axis].index(in: combination)]) ?? cpu
  }
}
