package import MusterDiagnostics

/// One test on one distro, and one value of each further axis. Light: a matrix may have a hundred thousand.
package struct Cell: Sendable {
  /// `test@distro`, or `test[memory=512M,locale=C]@distro`: what is printed can be typed.
  package var name: String
  package var test: String
  package var distro: String
  package var axes: [AxisValue]
  /// Where the test stands in the matrix.
  package var location: Location
  /// Why the matrix leaves it out; it is reported as skipped.
  package var excluded: Remark?
  /// Why the matrix expects it to fail.
  package var expectedFailure: Remark?
}

extension Cell {
  /// The cell with every variable in place. It cannot fail: all that could be wrong was told when the file was read.
  package func resolved() -> CellPlan {
    fatalError("not written yet")
  }
}
