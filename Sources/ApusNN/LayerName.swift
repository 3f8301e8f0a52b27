import ApusCore

/// The path of a built-in layer in its model: `conv2d_1`, or the property's `block.conv1`.
///
/// Built-in layers hold one, since some have no parameter by which they could be told from others of their type. The
/// first build of a model that holds it settles it.
package final class LayerName {
  /// Empty for the model itself.
  private(set) var path = ""
  private(set) var isSettled = false

  /// Takes the `path` in a model; for good when that model is built.
  func settle(_ path: String, forGood: Bool) {
    guard !isSettled else { return }
    self.path = path
    isSettled = forGood
  }
}

/// A layer that carries its name. The types outside this module that conform to `Layer` need none.
protocol NamedLayer: Layer {
  var layerName: LayerName { get }
}
