/// Text in which something is left open until a cell is known. Variables of the matrix are already in place.
enum Template: Sendable, Hashable {
  case text(String)
  case parts([Part])

  enum Part: Sendable, Hashable {
    case text(String)
    /// The value of an axis of the test, by its number.
    case axis(Int)
    case builtIn(BuiltIn)
    case secret(String)
    /// The address of one of the test's machines, by its name.
    case address(String)
  }

  /// The text, where nothing is left open.
  var constant: String? {
    if case .text(let text) = self { text } else { nil }
  }

  /// Joins parts, and makes plain text of them where nothing is left open.
  init(_ parts: [Part]) {
    var joined: [Part] = []
    var plain = ""
    for part in parts {
      if case .text(let text) = part {
        plain += text
        continue
      }
      if !plain.isEmpty { joined.append(.text(plain)) }
      plain = ""
      joined.append(part)
    }
    if joined.isEmpty {
      self = .text(plain)
    } else {
      if !plain.isEmpty { joined.append(.text(plain)) }
      self = .parts(joined)
    }
  }

  /// The bytes of the text that is known.
  var length: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .parts(let parts):
      parts.reduce(0) { if case .text(let text) = $1 { $0 + text.utf8.count } else { $0 } }
    }
  }

  var parts: [Part] {
    switch self {
    case .text(let text): [.text(text)]
    case .parts(let parts): parts
    }
  }
}

/// The variables that every cell has.
enum BuiltIn: String, Sendable, Hashable, CaseIterable {
  /// The name of the cell's distro, as the matrix has it.
  case distro
  /// The name of the cell's test.
  case test
  /// What the distro's package manager is called after: `debian`, `fedora`, `suse`, `arch`, `alpine`.
  case family
  /// The architecture of the cell's machine: `x86_64` or `arm64`.
  case cpu
  /// The cell's whole name.
  case cell
}

/// Further values that multiply a test's cells.
struct Axis: Sendable {
  var name: String
  var values: [String]
  /// How many combinations of the later axes there are: the last axis changes first.
  var stride = 1

  func index(in combination: Int) -> Int { combination / stride % values.count }

  /// The axes with their strides; one that no number can hold is the largest number.
  static func strided(_ axes: [Axis]) -> [Axis] {
    var axes = axes
    var stride = 1
    for index in axes.indices.reversed() {
      axes[index].stride = stride
      let (product, overflow) = stride.multipliedReportingOverflow(by: axes[index].values.count)
      stride = overflow ? Int.max : product
    }
    return axes
  }
}

extension Setting: Equatable where Value: Equatable {}

/// A value that was decoded when the file was read: one, or one for each value of some axes.
enum Setting<Value: Sendable>: Sendable {
  case fixed(Value)
  /// The numbers of the axes, and a value for each combination of theirs, the last axis changing first.
  case byAxes([Int], [Value])

  func value(_ axes: [Axis], _ combination: Int) -> Value {
    switch self {
    case .fixed(let value): return value
    case .byAxes(let numbers, let values):
      return values[numbers.reduce(0) { $0 * axes[$1].values.count + axes[$1].index(in: combination) }]
    }
  }
}
