import MusterCatalog

/// What templates need to know of a cell.
struct CellContext {
  let test: Test
  let testNumber: Int
  let distro: Distro
  let distroNumber: Int
  let combination: Int
  let cpu: CPU
  /// One of several machines, whose resources are asked for.
  var machine: MachineTemplate?

  init(_ cell: Cell) {
    test = cell.definition
    testNumber = Int(cell.testNumber)
    distro = cell.document.distros[Int(cell.distroNumber)]
    distroNumber = Int(cell.distroNumber)
    combination = Int(cell.combination)
    cpu = test.cpu(in: combination, or: distro.cpu)
  }

  func text(_ template: Template) -> String {
    switch template {
    case .text(let text): text
    case .parts(let parts): parts.reduce(into: "") { $0 += text($1) }
    }
  }

  func masked(_ template: Template) -> MaskedText { template.masked(text) }

  func value<Value>(_ setting: Setting<Value>) -> Value {
    setting.value(test.axes, combination)
  }

  /// The value that the machine, the test, the distro or the whole matrix sets, in this order.
  func value<Value>(_ defaults: Settings, _ key: KeyPath<Settings, Setting<Value>?>, or otherwise: Value) -> Value {
    (machine?.settings[keyPath: key] ?? test.settings[keyPath: key] ?? distro.settings[keyPath: key]
      ?? defaults[keyPath: key]).map(value) ?? otherwise
  }

  func isMeant(by step: StepTemplate) -> Bool {
    step.when?.contains(test: testNumber, distro: distroNumber) ?? true
  }

  private func text(_ part: Template.Part) -> String {
    switch part {
    case .text(let text): text
    case .axis(let axis): test.axes[axis].values[test.axes[axis].index(in: combination)]
    case .secret(let name): "${\(name)}"
    case .address(let machine): "${\(machine).address}"
    case .builtIn(.distro): distro.name
    case .builtIn(.test): test.name
    case .builtIn(.family): distro.family.rawValue
    case .builtIn(.cpu): cpu.rawValue
    case .builtIn(.cell): test.cellName(distro: distro.name, combination: combination)
    }
  }
}

extension Template {
  /// The text with its secrets left open; `text` gives everything else.
  func masked(_ text: (Part) -> String) -> MaskedText {
    guard case .parts(let parts) = self else { return MaskedText(constant ?? "") }
    var segments: [MaskedText.Segment] = []
    for part in parts {
      if case .secret(let name) = part {
        segments.append(.secret(name))
      } else if case .address(let machine) = part {
        segments.append(.address(machine))
      } else if case .text(let before)? = segments.last {
        segments[segments.count - 1] = .text(before + text(part))
      } else {
        segments.append(.text(text(part)))
      }
    }
    return MaskedText(segments: segments)
  }
}
