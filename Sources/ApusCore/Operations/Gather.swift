/// Rows of a table: `y[b, ...] = x[indices[b], ...]`.
///
/// - Parameters:
///   - x: `[R, ...]` of any type: a data set that stays on the device, an embedding.
///   - indices: int32 `[B]`, each in `0..<R`. Whoever uploads indices checks them; a row out of range reads as zeros.
/// - Returns: `[B, ...]` of the type of `x`.
public func gather(_ x: Tensor, _ indices: Tensor) -> Tensor {
  guard x.isValid, indices.isValid else { return Tensor(graph: x.graph, id: -1) }
  guard x.rank >= 1, indices.rank == 1, indices.dtype == .int32 else {
    return x.graph.fail("gather: table \(x.type), indices \(indices.type): the indices must be int32 [B]")
  }
  return x.graph.append(
    .gather(.forward), [x, indices], TensorType(shape: indices.shape + x.shape.dropFirst(), dtype: x.dtype))
}

/// Rows of a table; or the gradient for it: each row gets the sum of the gradients of the rows gathered from it.
package enum GatherPass: Hashable, Operation {
  case forward, gradient

  package var name: String { self == .forward ? "gather" : "gatherGradient" }
  package var arity: Int? { 2 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    self == .forward ? .rows([1]) : .sum([0, 1])
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    guard self == .forward else { return nil }
    let (table, indices) = (site.inputs[0], site.inputs[1])
    return [site.graph.append(.gather(.gradient), [site.gradient, indices], table.type), nil]
  }
}

/// `y[..., c] = 1` where `c` is the class number, else 0: int32 `[...]` to `[..., classes]`.
public func oneHot(_ labels: Tensor, classes: Int) -> Tensor {
  guard labels.isValid else { return labels }
  guard labels.dtype == .int32, classes > 0, classes <= Int(Int32.max) else {
    return labels.graph.fail("oneHot: labels \(labels.type), \(classes) classes: it needs int32 and at least one class")
  }
  let numbers = labels.graph.constant(NDArray((0..<Int32(classes)).map { $0 }, shape: [classes]))
  let column = reshape(labels, to: labels.shape + [1])
  return pointwise(.ifEqual(.input(0), .input(1), then: 1, otherwise: 0), [column, numbers])
}
