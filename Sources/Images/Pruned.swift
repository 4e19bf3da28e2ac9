/// What came of removing what was not used for a time.
package struct Pruned<Item: Sendable>: Sendable {
  package var removed: [Item] = []
  /// What stays though it was not used, since the disk of a machine stands on it.
  package var spared: [Item] = []

  package init() {}
}
