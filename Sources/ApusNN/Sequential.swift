public import ApusCore

/// Layers one after another.
///
/// ```swift
/// let model = Sequential {
///   Conv2D(32, kernel: 3, activation: .relu)
///   MaxPool2D(2)
///   Flatten()
///   if isRegularized { Dropout(0.5) }
///   Dense(10)
/// }
/// ```
/// Its layers are named after their types, as in Keras: `conv2d`, `conv2d_1`, `max_pooling2d`, `dense`.
public struct Sequential: NamedLayer {
  /// The layers with their names.
  let elements: [(name: String, layer: any Layer)]
  let layerName = LayerName()

  public var layers: [any Layer] { elements.map(\.layer) }

  public init(@SequentialBuilder _ layers: () throws -> [any Layer]) rethrows { self.init(try layers()) }

  public init(_ layers: [any Layer]) {
    var counts: [String: Int] = [:]
    elements = layers.map { layer in
      let base = type(of: layer).defaultName
      let count = counts[base, default: 0]
      counts[base] = count + 1
      return (count == 0 ? base : "\(base)_\(count)", layer)
    }
    _ = ModelWalk(self)
  }

  public func forward(_ x: Tensor) -> Tensor {
    elements.reduce(x) { x, element in
      if element.layer is any NamedLayer { return element.layer(x) }
      // A layer without boxes has no name of its own: it gets the one that it has here.
      let path = layerName.path.isEmpty ? element.name : "\(layerName.path).\(element.name)"
      return element.layer.call(x, path: path)
    }
  }
}

/// Turns the lines of a `Sequential { ... }` into its layers.
@resultBuilder
public enum SequentialBuilder {
  public static func buildExpression(_ layer: some Layer) -> [any Layer] { [layer] }
  public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}
