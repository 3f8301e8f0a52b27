public import ApusCore

/// An activation is a layer, too: `Activation.relu` stands in a `Sequential` like any other.
extension Activation: Layer {}

/// Probabilities along the last axis: `exp(x - max) / sum(exp(x - max))`.
public struct Softmax: NamedLayer {
  let layerName = LayerName("softmax", type: "Softmax")

  public init() {}

  public func callAsFunction(_ x: Tensor) -> Tensor { layerName.trace(x) { softmax(x) } }
}

/// In training, sets each element to zero with probability `rate` and divides the others by `1 - rate`.
public struct Dropout: NamedLayer {
  public let rate: Double
  let layerName = LayerName("dropout", type: "Dropout")

  public init(_ rate: Double) { self.rate = rate }

  public func callAsFunction(_ x: Tensor) -> Tensor { layerName.trace(x) { dropout(x, rate: rate) } }
}
