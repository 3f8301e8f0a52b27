public import ApusCore

/// All axes but the batch joined: `[N, H, W, C]` to `[N, H * W * C]`.
public struct Flatten: NamedLayer {
  let layerName = LayerName()

  public init() {}

  public func forward(_ x: Tensor) -> Tensor { x.flattened() }
}

/// The same elements of each sample under another shape: `[N, ...]` to `[N] + shape`. One size may be -1.
public struct Reshape: NamedLayer {
  /// Shape of one sample.
  public let shape: [Int]
  let layerName = LayerName()

  public init(_ shape: [Int]) { self.shape = shape }

  public func forward(_ x: Tensor) -> Tensor {
    guard let batch = x.shape.first else { return x.graph.fail("Reshape: a scalar has no batch axis") }
    return reshape(x, to: [batch] + shape)
  }
}
