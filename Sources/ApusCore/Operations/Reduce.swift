/// A reduction over axes; they are kept with size 1 or removed.
public struct Reduction: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: String, Hashable, Sendable { case sum, mean, max }

  public var kind: Kind
  /// Ascending, each once.
  public var axes: [Int]
  public var keepsAxes: Bool

  public var description: String { "\(kind.rawValue) axes \(axes)\(keepsAxes ? " kept" : "")" }

  /// Shape with the reduced axes at size 1.
  func keptShape(_ shape: [Int]) -> [Int] {
    shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
  }
}

extension Reduction: Operation {
  package var name: String { "reduce" }
  package var attributes: String { description }
  package var arity: Int? { 1 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    guard axes.contains(0) else { return .rows([0]) }
    return switch kind {
    case .sum: .sum([0])
    case .mean: .mean([0])
    case .max: .whole
    }
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    let x = site.inputs[0]
    let kept = reshape(site.gradient, to: keptShape(x.shape))
    switch kind {
    case .sum: return [broadcast(kept, to: x.shape)]
    case .mean:
      let count = axes.reduce(1) { $0 * x.shape[$1] }
      return [broadcast(kept * (1 / Double(count)), to: x.shape)]
    case .max:
      // Equal maxima share the gradient evenly, as in TensorFlow and PyTorch's amax.
      let maximum = reshape(site.result, to: keptShape(x.shape))
      let isMaximum = pointwise(.ifEqual(.input(0), .input(1), then: 1, otherwise: 0), [x, maximum])
      let ties = reduceSum(isMaximum, axes: axes, keepingAxes: true)
      return [isMaximum * (kept / ties)]
    }
  }
}

/// Index of the first maximum along an axis.
package struct ArgMax: Hashable, Operation {
  package let axis: Int

  package var name: String { "argMax" }
  package var attributes: String { "axis \(axis)" }
  package var arity: Int? { 1 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    axis > 0 ? .rows([0]) : .whole
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? { nil }
}

/// Sum over `axes` (all when not given; negative ones count from the last).
public func reduceSum(_ x: Tensor, axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
  reduce(x, .sum, axes, keepingAxes)
}

/// Mean over `axes` (all when not given; negative ones count from the last).
public func reduceMean(_ x: Tensor, axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
  reduce(x, .mean, axes, keepingAxes)
}

/// Maximum over `axes` (all when not given; negative ones count from the last).
public func reduceMax(_ x: Tensor, axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
  reduce(x, .max, axes, keepingAxes)
}

private func reduce(_ x: Tensor, _ kind: Reduction.Kind, _ axes: [Int]?, _ keeps: Bool) -> Tensor {
  guard x.isValid else { return x }
  let wanted = axes ?? Array(0..<x.rank)
  let positive = Set(wanted.map { $0 < 0 ? $0 + x.rank : $0 }).sorted()
  guard positive.allSatisfy(x.shape.indices.contains), positive.count == wanted.count else {
    return x.graph.fail(
      "reduce: axes \(wanted) of \(x.shape.shapeDescription): each must be one of 0..<\(x.rank), at most once")
  }
  guard x.dtype.isFloatingPoint else { return x.graph.fail("reduce: the input must be floating-point, not \(x.dtype)") }
  guard kind == .sum || !positive.contains(where: { x.shape[$0] == 0 }) else {
    return x.graph.fail("reduce: \(kind.rawValue) over an empty axis of \(x.shape.shapeDescription)")
  }
  if positive.isEmpty { return x }
  let reduction = Reduction(kind: kind, axes: positive, keepsAxes: keeps)
  let kept = reduction.keptShape(x.shape)
  let shape = keeps ? kept : kept.indices.filter { !positive.contains($0) }.map { kept[$0] }
  return x.graph.append(.reduce(reduction), [x], TensorType(shape: shape, dtype: x.dtype))
}

/// Index of the first maximum along `axis`, which is removed: int32. A NaN counts as greatest; see `Numerics`.
public func argMax(_ x: Tensor, axis: Int = -1) -> Tensor {
  guard x.isValid else { return x }
  let positive = axis < 0 ? axis + x.rank : axis
  guard x.shape.indices.contains(positive), x.shape[positive] > 0, x.dtype.isFloatingPoint else {
    return x.graph.fail(
      "argMax: axis \(axis) of \(x.dtype) \(x.shape.shapeDescription): it must be a non-empty axis of a "
        + "floating-point tensor")
  }
  var shape = x.shape
  shape.remove(at: positive)
  return x.graph.append(.argMax(ArgMax(axis: positive)), [x], TensorType(shape: shape, dtype: .int32))
}
