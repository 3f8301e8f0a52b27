public import ApusCore

/// An activation is a layer, too: `Activation.relu` stands in a `Sequential` like any other.
extension Activation: Layer {
  public func forward(_ x: Tensor) -> Tensor { callAsFunction(x) }
}

/// Probabilities along the last axis: `exp(x - max) / sum(exp(x - max))`.
public struct Softmax: NamedLayer {
  let layerName = LayerName()

  public init() {}

  public func forward(_ x: Tensor) -> Tensor { softmax(x) }
}

/// In training, sets each element to zero with probability `rate` and divides the others by `1 - rate`.
public struct Dropout: NamedLayer {
  public let rate: Double
  let layerName = LayerName()

  public init(_ rate: Double) { self.rate = rate }

  public func forward(_ x: Tensor) -> Tensor { dropout(x, rate: rate) }
}
