package import MusterCatalog

/// An archive on this host of the files that a container starts from.
package struct ContainerImage: Sendable, Hashable {
  /// What the person wrote.
  package var name: String
  /// The archive's absolute path.
  package var path: String
  /// What its content is known by, lowercase hexadecimal.
  package var digest: String
  /// What its recipe is known by: the same for the image that is built of it next.
  package var recipe: String
  package var cpu: CPU
  /// `debian`, `ubuntu`; and `bookworm`, `noble`.
  package var (distribution, suite): (String, String)

  package init(
    name: String, path: String, digest: String, recipe: String, cpu: CPU, distribution: String, suite: String
  ) {
    self.name = name
    self.path = path
    self.digest = digest
    self.recipe = recipe
    self.cpu = cpu
    (self.distribution, self.suite) = (distribution, suite)
  }
}
