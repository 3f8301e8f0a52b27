/// Shape and element type of a symbol.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
  public var shape: [Int]
  public var dtype: DType

  public init(shape: [Int], dtype: DType = .float32) {
    self.shape = shape
    self.dtype = dtype
  }

  package var count: Int { shape.elementCount }
  package var byteCount: Int { count * dtype.byteCount }
  public var description: String { "\(dtype)[\(shape.map(String.init).joined(separator: ", "))]" }
}

/// A symbol in a graph: the result of one operation, to be computed when the graph's plan runs.
///
/// Operators and functions on tensors append operations; nothing is evaluated. A mistake in shapes is recorded in the
/// graph with the layer's name and thrown by `Graph.trace`; the tensor returned then is not valid and passes silently
/// through what follows.
public struct Tensor {
  public let graph: Graph
  package let id: Int

  package var isValid: Bool { id >= 0 }
  package var type: TensorType { isValid ? graph.nodes[id].type : TensorType(shape: []) }
  /// Sizes of the axes, outermost first (images: batch, height, width, channels).
  public var shape: [Int] { type.shape }
  public var rank: Int { shape.count }
  public var dtype: DType { type.dtype }

  /// Marks the value for inspection: every run of the plan keeps it under `name`, which no other value of the graph has.
  @discardableResult
  public func observe(_ name: String) -> Tensor {
    guard isValid else { return self }
    guard graph.observations.updateValue(id, forKey: name) ?? id == id else {
      return graph.fail(
        "observe: '\(name)' is the name of another value already; give each its own, such as one passed to the layer")
    }
    return self
  }

  /// Records an error of `layer` unless the rank is `rank`. Layers call it before they look at single sizes.
  public func requireRank(_ rank: Int, _ layer: String, _ layout: String) -> Bool {
    guard isValid else { return false }
    if self.rank == rank { return true }
    graph.fail("\(layer): the input \(shape.shapeDescription) has \(self.rank) axes; it needs \(rank) (\(layout))")
    return false
  }
}
