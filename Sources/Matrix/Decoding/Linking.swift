import MusterCatalog
import MusterDiagnostics

extension MatrixDecoder {
  /// Gives each distro its images, for the architectures that its cells ask for.
  func link(
    _ forms: [DistroForm], _ provisions: [[StepTemplate]], _ tests: [Test], _ exclusions: [Rule]
  ) -> [Distro] {
    forms.enumerated().map { number, form in
      var images: [CPU: [ImageChoice]] = [:]
      for cpu in CPU.allCases where form.isWhole {
        let choices = form.images.compactMap { $0.choice(distro: form.name, cpu: cpu) }
        if choices.count == form.images.count {
          images[cpu] = choices
          continue
        }
        // The catalog may lack one of several images: the others remain.
        if !choices.isEmpty {
          images[cpu] = choices
        } else if let image = form.images.first, let cell = user(of: number, form, cpu, tests, exclusions) {
          reportNoImage(image, form, cpu, cell)
        }
      }
      return Distro(
        name: form.name, tags: form.tags, family: form.family ?? .debian, cpu: form.cpu, images: images,
        imageSpan: form.imageSpan, settings: form.settings, provision: provisions[number])
    }
  }

  private func reportNoImage(_ image: ImageForm, _ form: DistroForm, _ cpu: CPU, _ cell: String) {
    guard case .catalog(let template) = image.source else { return }
    let name = template.text(distro: form.name, cpu: cpu)
    if Catalog.family(of: name) == nil {
      report(
        "the catalog has no image \(quoted(name))", at: image.span,
        hint: Nearest.hint(name, among: Catalog.names, listing: "there are"))
    } else {
      report(
        "the catalog has no image '\(name)' for \(cpu.rawValue), which the cell \(cell) asks for", at: image.span,
        hint: "exclude such cells, or set 'cpu' of '\(form.name)'")
    }
  }

  /// A cell on the distro that needs the architecture and is not excluded.
  private func user(
    of distro: Int, _ form: DistroForm, _ cpu: CPU, _ tests: [Test], _ exclusions: [Rule]
  ) -> String? {
    for number in tests.indices where tests[number].distros.contains(distro) {
      // Without an axis, there is only the distro's own architecture.
      if tests[number].axes.isEmpty, form.cpu != cpu { continue }
      let test = tests[number]
      for combination in 0..<test.combinations
      where test.cpu(in: combination, or: form.cpu) == cpu
        && !exclusions.contains(where: {
          $0.concerns(test, number) && $0.holds(test, distro: distro, combination: combination)
        })
      {
        return test.cellName(distro: form.name, combination: combination)
      }
    }
    return nil
  }
}
