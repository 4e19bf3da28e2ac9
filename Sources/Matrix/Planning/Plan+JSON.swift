import MusterCatalog
import MusterDiagnostics
import MusterHost

extension Plan {
  /// Writes the plan as JSON, a piece at a time: a plan of any length takes no memory.
  ///
  /// ```json
  /// {"schema": "muster.plan/1", "matrix": "Greeter 1.2", "cells": [
  ///   {"cell": "works@debian-12", "test": "works", "distro": "debian-12", "axes": {}, "image": "debian/12",
  ///    "resources": {"cpus": 2, "memory": 2147483648, "disk": 10737418240},
  ///    "phases": [{"phase": "verify", "steps": [
  ///      {"title": "run greeter --version", "location": {"file": "muster.yaml", "line": 9, "column": 9}}]}]}]}
  /// ```
  /// `image` is the first of the cell's images that the plan's backends may use, by the name that the matrix has for it.
  /// A cell of several machines has them as `machines`, each with its `name` and `resources`.
  /// A cell whose machines boot has `"start": "cold"`.
  /// A cell that the matrix excludes, or expects to fail, has the reason as `exclude` or `expect-failure`. Secrets stay
  /// names.
  /// - Parameters:
  ///   - seconds: How long a run will take, where that is known: `seconds`, behind the cells.
  ///   - cellSeconds: How long a cell of it will take: its `seconds`.
  package func writeJSON(
    seconds: Double? = nil, ofCell cellSeconds: (Cell) -> Double? = { _ in nil }, _ write: ([UInt8]) throws -> Void
  ) rethrows {
    var json = JSONWriter()
    let titles = WrittenSteps(document)
    try json.object { json in
      json.member("schema", "muster.plan/1")
      json.member("matrix", name)
      try json.member(
        "cells",
        array: { json in
          for cell in cells {
            self.write(cell, cellSeconds(cell), titles, to: &json)
            if json.bytes.count > 1 << 16 { try write(json.take()) }
          }
        })
      if let seconds { json.member("seconds", seconds) }
    }
    json.newline()
    try write(json.take())
  }

  private func write(_ cell: Cell, _ seconds: Double?, _ written: WrittenSteps, to json: inout JSONWriter) {
    let context = CellContext(cell)
    json.object { json in
      json.member("cell", cell.name)
      json.member("test", context.test.name)
      json.member("distro", context.distro.name)
      json.member(
        "axes",
        object: { json in
          for axis in context.test.axes { json.member(axis.name, axis.values[axis.index(in: context.combination)]) }
        })
      json.member("image", imageName(context))
      json.member("resources", object: { json in context.resources(document.defaults).write(to: &json) })
      let machines = context.machines(document.defaults)
      if !machines.isEmpty {
        json.member(
          "machines",
          array: { json in
            for machine in machines {
              json.object { json in
                json.member("name", machine.name)
                json.member("resources", object: { json in machine.resources.write(to: &json) })
              }
            }
          })
      }
      let start = context.value(document.defaults, \.start, or: .warm)
      if start != .warm { json.member("start", start.rawValue) }
      if let seconds { json.member("seconds", seconds) }
      if let remark = cell.excluded { json.member("exclude", remark.reason) }
      if let remark = cell.expectedFailure { json.member("expect-failure", remark.reason) }
      json.member(
        "phases",
        array: { json in
          let test = written.tests[context.testNumber]
          let distro = written.distros[context.distroNumber]
          write(
            .provision, [(context.distro.provision, distro), (context.test.provision, test.provision)], context,
            to: &json)
          let course = context.test.course(in: context.combination)
          let changes = context.test.lifecycle?.wishes(of: course) ?? []
          if course != .install { write(changes, to: &json) }
          if course == .install || course == .upgrade {
            write(.verify, [(context.test.verify, test.verify)], context, to: &json)
          }
          if course == .install { write(changes, to: &json) }
        })
    }
  }

  private func write(
    _ phase: Phase.Kind, _ lists: [(steps: [StepTemplate], written: [[UInt8]?])], _ context: CellContext,
    to json: inout JSONWriter
  ) {
    guard lists.contains(where: { $0.steps.contains(where: context.isMeant) }) else { return }
    json.object { json in
      json.member("phase", phase.rawValue)
      json.member(
        "steps",
        array: { json in
          for list in lists {
            for (index, step) in list.steps.enumerated() where context.isMeant(by: step) {
              if let bytes = list.written[index] {
                json.value(written: bytes)
              } else {
                step.write(titled: step.title(context), to: &json)
              }
            }
          }
        })
    }
  }

  /// What happens to the release beside being installed and verified.
  private func write(_ changes: [(title: String, span: Span)], to json: inout JSONWriter) {
    if changes.isEmpty { return }
    json.object { json in
      json.member("phase", Phase.Kind.lifecycle.rawValue)
      json.member(
        "steps",
        array: { json in
          for change in changes { change.span.write(titled: change.title, to: &json) }
        })
    }
  }

  private func imageName(_ context: CellContext) -> String? {
    guard let choices = context.distro.images[context.cpu] else { return nil }
    // The backend that is asked first and has an image.
    let names = backends.isEmpty ? BackendName.available.map(\.rawValue) : backends
    return names.lazy.compactMap { name in
      choices.first { choice in choice.backend.map { $0 == name } ?? true }
    }.first?.image.name
  }
}

extension Resources {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("cpus", cpus)
    json.member("memory", memory)
    json.member("disk", disk)
  }
}

/// The steps that are the same in every cell, written once.
private struct WrittenSteps {
  var distros: [[[UInt8]?]]
  var tests: [(provision: [[UInt8]?], verify: [[UInt8]?])]

  init(_ document: Document) {
    let written = { (steps: [StepTemplate]) in
      steps.map { step in
        step.constantTitle.map { title in
          var json = JSONWriter()
          step.write(titled: title, to: &json)
          return json.take()
        }
      }
    }
    distros = document.distros.map { written($0.provision) }
    tests = document.tests.map { (written($0.provision), written($0.verify)) }
  }
}

extension StepTemplate {
  fileprivate func write(titled title: String, to json: inout JSONWriter) { span.write(titled: title, to: &json) }
}

extension Span {
  fileprivate func write(titled title: String, to json: inout JSONWriter) {
    json.object { json in
      json.member("title", title)
      json.member(
        "location",
        object: { json in
          json.member("file", file.path)
          json.member("line", start.line)
          json.member("column", start.column)
        })
    }
  }
}
