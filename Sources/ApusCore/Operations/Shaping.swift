/// The same elements under another shape; free of cost. One size may be -1 and is then computed.
public func reshape(_ x: Tensor, to shape: [Int]) -> Tensor {
  guard x.isValid, x.shape != shape else { return x }
  var target = shape
  if let open = shape.firstIndex(of: -1) {
    let known = shape.enumerated().filter { $0.offset != open }.map(\.element)
    guard let product = known.checkedElementCount, product > 0, x.type.count % product == 0 else {
      return x.graph.fail("reshape: \(x.shape.shapeDescription) cannot become \(shape): no size for -1 fits")
    }
    target[open] = x.type.count / product
  }
  guard target.checkedElementCount == x.type.count else {
    return x.graph.fail(
      "reshape: \(x.shape.shapeDescription) cannot become \(shape.shapeDescription): "
        + "the numbers of elements must be equal")
  }
  return x.graph.append(.reshape, [x], TensorType(shape: target, dtype: x.dtype))
}

/// The same elements under another shape.
package struct Reshape: Hashable, Operation {
  package var name: String { "reshape" }
  package var arity: Int? { 1 }
  package var storage: StorageRule { .view }
  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    .asOperands(rows: true)
  }
  package func gradients(_ site: GradientSite) -> [Tensor?]? { [reshape(site.gradient, to: site.inputs[0].shape)] }
}

extension Tensor {
  /// All axes but the first joined: `[N, ...]` to `[N, rest]`.
  public func flattened() -> Tensor {
    guard isValid else { return self }
    guard rank >= 1 else { return graph.fail("flattened: a scalar has no batch axis") }
    return reshape(self, to: [shape[0], shape.dropFirst().reduce(1, *)])
  }
}

/// Axes in another order: axis i of the result is axis `permutation[i]` of `x`; reversed when not given.
public func transpose(_ x: Tensor, _ permutation: [Int]? = nil) -> Tensor {
  guard x.isValid else { return x }
  let order = permutation ?? Array((0..<x.rank).reversed())
  guard order.sorted() == Array(0..<x.rank) else {
    return x.graph.fail("transpose: \(order) must hold each axis of \(x.shape.shapeDescription) once")
  }
  if order == Array(0..<x.rank) { return x }
  return x.graph.append(
    .transpose(Transpose(permutation: order)), [x], TensorType(shape: order.map { x.shape[$0] }, dtype: x.dtype))
}

package func inverse(of permutation: [Int]) -> [Int] {
  var result = permutation
  for (i, axis) in permutation.enumerated() { result[axis] = i }
  return result
}

/// Axes in another order.
package struct Transpose: Hashable, Operation {
  package let permutation: [Int]

  package var name: String { "transpose" }
  package var attributes: String { "\(permutation)" }
  package var arity: Int? { 1 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    permutation.first == 0 ? .rows([0]) : .whole
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? { [transpose(site.gradient, inverse(of: permutation))] }
}

/// A strided part of each axis.
public struct Slice: Hashable, Sendable, CustomStringConvertible {
  public var starts: [Int]
  public var steps: [Int]
  public var description: String { "from \(starts)\(steps.allSatisfy { $0 == 1 } ? "" : " by \(steps)")" }
}

extension Slice: Operation {
  package var name: String { "slice" }
  package var attributes: String { description }
  package var arity: Int? { 1 }
  package var storage: StorageRule { .piece }

  package func offset(in operand: TensorType, of result: TensorType) -> Int? {
    guard steps.allSatisfy({ $0 == 1 }) else { return nil }
    guard let axis = operand.shape.indices.first(where: { result.shape[$0] != operand.shape[$0] }) else { return 0 }
    guard operand.shape[..<axis].allSatisfy({ $0 == 1 }),
      operand.shape[(axis + 1)...].elementsEqual(result.shape[(axis + 1)...])
    else { return nil }
    return starts[axis] * operand.shape[(axis + 1)...].reduce(1, *)
  }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    starts.first == 0 && steps.first == 1 ? .rows([0]) : .whole
  }

  /// The gradient at the places that the slice took, zeros elsewhere.
  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    let x = site.inputs[0]
    let spread = steps.indices.reduce(site.gradient) { spreading($0, axis: $1, by: steps[$1]) }
    guard spread.isValid else { return [nil] }
    let after = x.shape.indices.map { x.shape[$0] - starts[$0] - spread.shape[$0] }
    return [pad(spread, before: starts, after: after)]
  }
}

/// `x` with `step - 1` zeros between neighbours along `axis`: `n` elements become `(n - 1) * step + 1`.
private func spreading(_ x: Tensor, axis: Int, by step: Int) -> Tensor {
  guard x.isValid, step > 1, x.shape[axis] > 1 else { return x }
  // Each element in a row of its own with zeros after it, the rows joined, the last row's zeros cut off.
  var column = x.shape
  column.insert(1, at: axis + 1)
  var after = column.map { _ in 0 }
  after[axis + 1] = step - 1
  let rows = pad(reshape(x, to: column), before: column.map { _ in 0 }, after: after)
  var joined = x.shape
  joined[axis] *= step
  var sizes = x.shape
  sizes[axis] = (x.shape[axis] - 1) * step + 1
  return slice(reshape(rows, to: joined), starts: sizes.map { _ in 0 }, sizes: sizes)
}

/// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`, `sizes` elements along each axis.
public func slice(_ x: Tensor, starts: [Int], sizes: [Int], steps: [Int]? = nil) -> Tensor {
  guard x.isValid else { return x }
  let steps = steps ?? [Int](repeating: 1, count: x.rank)
  func fits(_ axis: Int) -> Bool {
    let (start, size, step) = (starts[axis], sizes[axis], steps[axis])
    guard start >= 0, start <= x.shape[axis], size >= 0, step > 0 else { return false }
    // start + (size - 1) * step < x.shape[axis], without overflow.
    return size == 0 || (start < x.shape[axis] && size - 1 <= (x.shape[axis] - 1 - start) / step)
  }
  guard
    starts.count == x.rank, sizes.count == x.rank, steps.count == x.rank, x.shape.indices.allSatisfy(fits)
  else {
    return x.graph.fail(
      "slice: starts \(starts), sizes \(sizes), steps \(steps) do not lie in \(x.shape.shapeDescription)")
  }
  if sizes == x.shape { return x }
  return x.graph.append(.slice(Slice(starts: starts, steps: steps)), [x], TensorType(shape: sizes, dtype: x.dtype))
}

/// Tensors side by side along `axis`; all other sizes must be equal.
public func concat(_ tensors: [Tensor], axis: Int = -1) -> Tensor {
  guard let first = tensors.first else { preconditionFailure("concat: needs at least one tensor") }
  guard tensors.allSatisfy(\.isValid) else { return Tensor(graph: first.graph, id: -1) }
  let positive = axis < 0 ? axis + first.rank : axis
  let others = { (shape: [Int]) in shape.indices.map { $0 == positive ? 0 : shape[$0] } }
  guard
    first.shape.indices.contains(positive),
    tensors.allSatisfy({ $0.dtype == first.dtype && others($0.shape) == others(first.shape) })
  else {
    return first.graph.fail(
      "concat: \(tensors.map { $0.type.description }.joined(separator: ", ")) along axis \(axis): "
        + "types and all other sizes must be equal")
  }
  if tensors.count == 1 { return first }
  guard let size = checkedSum(tensors.map { $0.shape[positive] }) else {
    return first.graph.fail("concat: the size of axis \(positive) does not fit in 63 bits")
  }
  var shape = first.shape
  shape[positive] = size
  return first.graph.append(
    .concat(Concatenation(axis: positive)), tensors, TensorType(shape: shape, dtype: first.dtype))
}

/// Tensors side by side along an axis.
package struct Concatenation: Hashable, Operation {
  package let axis: Int

  package var name: String { "concat" }
  package var attributes: String { "axis \(axis)" }
  package var arity: Int? { nil }

  package func offsets(of operands: [TensorType], in result: TensorType) -> [Int]? {
    guard result.shape[..<axis].allSatisfy({ $0 == 1 }) else { return nil }
    return operands.indices.map { operands[..<$0].reduce(0) { $0 + $1.count } }
  }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    axis > 0 ? .rows(Array(operands.indices)) : .whole
  }

  /// Where the operands lie in the result.
  package func places(of shapes: [[Int]]) -> [View] {
    var whole = shapes.first ?? []
    if !shapes.isEmpty { whole[axis] = shapes.reduce(0) { $0 + $1[axis] } }
    var starts = whole.map { _ in 0 }
    return shapes.map { shape in
      defer { starts[axis] += shape[axis] }
      return View(whole).sliced(starts: starts, sizes: shape)
    }
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    var start = 0
    return zip(site.inputs, site.wanted).map { input, isWanted in
      defer { start += input.shape[axis] }
      guard isWanted else { return nil }
      var starts = [Int](repeating: 0, count: input.rank)
      starts[axis] = start
      return slice(site.gradient, starts: starts, sizes: input.shape)
    }
  }
}

/// Cells of one value around a tensor.
public struct Pad: Hashable, Sendable, CustomStringConvertible {
  public var before: [Int]
  public var after: [Int]
  public var value: Double
  public var description: String { "\(before) \(after) with \(value)" }
}

extension Pad: Operation {
  package var name: String { "pad" }
  package var attributes: String { description }
  package var arity: Int? { 1 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    before.first == 0 && after.first == 0 ? .rows([0]) : .whole
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    [slice(site.gradient, starts: before, sizes: site.inputs[0].shape)]
  }
}

/// `x` with `before[i]` and `after[i]` cells of `value` added at the ends of axis i.
public func pad(_ x: Tensor, before: [Int], after: [Int], value: Double = 0) -> Tensor {
  guard x.isValid else { return x }
  guard before.count == x.rank, after.count == x.rank, (before + after).allSatisfy({ $0 >= 0 }) else {
    return x.graph.fail(
      "pad: before \(before), after \(after) of \(x.shape.shapeDescription): one amount an axis, none negative")
  }
  var shape = x.shape
  for axis in shape.indices {
    guard let size = checkedSum(shape[axis], before[axis], after[axis]) else {
      return x.graph.fail("pad: the size of axis \(axis) does not fit in 63 bits")
    }
    shape[axis] = size
  }
  if shape == x.shape { return x }
  return x.graph.append(
    .pad(Pad(before: before, after: after, value: value)), [x], TensorType(shape: shape, dtype: x.dtype))
}

extension Graph {
  /// One flat vector of `count` elements that holds tensor i from `offsets[i]` on and zeros between.
  package func pack(_ tensors: [Tensor], offsets: [Int], count: Int) -> Tensor {
    guard let first = tensors.first else { return constant(NDArray(zeros: [count])) }
    return append(.pack(Packing(offsets: offsets)), tensors, TensorType(shape: [count], dtype: first.dtype))
  }
}

/// Tensors in one flat vector, with zeros between them.
package struct Packing: Hashable, Operation {
  package let offsets: [Int]

  package var name: String { "pack" }
  package var attributes: String { "at \(offsets)" }
  package var arity: Int? { nil }
  package var storage: StorageRule { .pieces }
  package func offsets(of operands: [TensorType], in result: TensorType) -> [Int]? { offsets }
  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    .asOperands(rows: false)
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    site.inputs.indices.map { i in
      let input = site.inputs[i]
      let piece = { slice(site.gradient, starts: [offsets[i]], sizes: [input.type.count]) }
      return site.wanted[i] ? reshape(piece(), to: input.shape) : nil
    }
  }
}
