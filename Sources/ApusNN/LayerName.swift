import ApusCore

/// The name of a built-in layer in its model: `conv2d_1`, or the property's path `block.conv1`.
///
/// Every built-in layer holds one. It labels the operations that the layer appends, so that a shape error names the
/// layer, and it tells a recorder of calls what was called. The first build of a model that holds it settles its path.
package final class LayerName {
  /// What a layer of this type is called when nothing else is known, as in Keras: `max_pooling2d`.
  let base: String
  /// The Swift type, as summaries show it.
  let type: String
  /// Empty for the model itself.
  private(set) var path = ""
  private var isSettled = false
  /// Set while a summary traces the model.
  var recorder: CallRecorder?

  init(_ base: String, type: String) {
    self.base = base
    self.type = type
  }

  /// Takes the `path` in a model; for good when that model is built.
  func settle(_ path: String, forGood: Bool) {
    guard !isSettled else { return }
    self.path = path
    isSettled = forGood
  }

  /// Runs the layer's `body` under its name.
  func trace(_ x: Tensor, _ body: () -> Tensor) -> Tensor {
    let name = path.isEmpty ? base : path
    let y = x.graph.scope(Self.relative(name, to: x.graph.label), body)
    recorder?.record(name: name, type: type, y)
    return y
  }

  /// `path` without the scopes that are already open.
  static func relative(_ path: String, to open: String) -> String {
    path.hasPrefix(open + ".") ? String(path.dropFirst(open.count + 1)) : path
  }
}

/// A layer that carries its name. The types outside this module that conform to `Layer` need none.
protocol NamedLayer: Layer {
  var layerName: LayerName { get }
}

/// The layers that a trace called, in order: the rows of a summary.
final class CallRecorder {
  struct Call {
    var name: String
    var type: String
    var outputShape: [Int]
  }

  private(set) var calls: [Call] = []

  func record(name: String, type: String, _ output: Tensor) {
    calls.append(Call(name: name, type: type, outputShape: output.shape))
  }
}
