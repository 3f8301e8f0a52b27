public import ApusCore

/// A piece of a network: a plain struct that holds its parameters and, possibly, other layers.
///
/// ```swift
/// struct Residual: Layer {
///   let first = Conv2D(64, kernel: 3, padding: .same, activation: .relu)
///   let second = Conv2D(64, kernel: 3, padding: .same)
///   func forward(_ x: Tensor) -> Tensor { relu(x + second(first(x))) }
/// }
/// ```
/// A layer is called like a function, `first(x)`. Then it has its name in errors, profiles and summaries: the path of
/// the property that holds it, `body.blocks.0.first`. A network of several inputs or outputs is a `Model`.
public protocol Layer: Model {
  /// What the layer is called where nothing else is known, and in a `Sequential`: the type's name in snake case when
  /// not given.
  static var defaultName: String { get }
  /// Appends the layer's operations to the graph of `x` and returns their result.
  func forward(_ x: Tensor) -> Tensor
}

extension Layer {
  public static var defaultName: String { snakeCase("\(Self.self)") }

  /// 1
  public var inputCount: Int { 1 }
  /// The layer as a model: of its one input its one result.
  public func forward(_ inputs: [Tensor]) -> [Tensor] { [self(inputs[0])] }

  /// `forward`, under the layer's name.
  public func callAsFunction(_ x: Tensor) -> Tensor { call(x, path: path) }

  /// - Parameter path: in the model; empty for the model itself, `nil` where it is not known.
  func call(_ x: Tensor, path: String?) -> Tensor {
    // After a mistake there is nothing to look at: no layer has to ask.
    guard x.isValid else { return x }
    let graph = x.graph
    // A model needs no name beside those of its layers, unless it is a single built-in one.
    let isSingle = self is any NamedLayer && !(self is Sequential)
    let name = path.flatMap { $0.isEmpty && isSingle ? nil : $0 } ?? Self.defaultName
    let known = graph.recorder?.calls.count
    let y = graph.scope(Self.relative(name, to: graph.label)) { forward(x) }
    // What consists of other layers is told by these.
    if let recorder = graph.recorder, recorder.calls.count == known {
      recorder.record(
        LayerCall(name: name.isEmpty ? Self.defaultName : name, path: path, type: "\(Self.self)", outputShape: y.shape))
    }
    return y
  }

  /// Where the layer is in the model that was built, told from the names of the boxes in it; `nil` for a layer without
  /// any, and before the first build.
  private var path: String? {
    if let own = (self as? any NamedLayer)?.layerName { return own.path }
    return ModelWalk.settledPath(of: self)
  }
}
