/// Elementwise computation: `y[i] = expr(x0[i], x1[i], ...)`, inputs broadcast as in NumPy.
///
/// Integer inputs are converted to the computing type (float32, or float64 when an input is) before the expression.
///
/// ```swift
/// let y = pointwise(.max(.input(0), .input(1)), [a, b])    // a and b broadcast to one shape
/// ```
public func pointwise(_ expr: Expr, _ inputs: [Tensor]) -> Tensor {
  guard let graph = inputs.first?.graph else { preconditionFailure("pointwise: needs at least one tensor") }
  guard inputs.allSatisfy(\.isValid) else { return Tensor(graph: graph, id: -1) }
  let states = expr.randomStates
  var shape: [Int] = []
  for (i, input) in inputs.enumerated() where !states.contains(i) {
    guard let next = broadcastShape(shape, input.shape) else {
      return graph.fail(
        "pointwise: the shapes \(shape.shapeDescription) and \(input.shape.shapeDescription) do not broadcast; "
          + "aligned at the last axis, sizes must be equal or 1")
    }
    shape = next
  }
  return graph.append(.pointwise(expr), inputs, TensorType(shape: shape, dtype: computingType(inputs)))
}

/// `tensor` repeated along axes of size 1 and new leading axes, to fill `shape`.
public func broadcast(_ tensor: Tensor, to shape: [Int]) -> Tensor {
  guard tensor.isValid, tensor.shape != shape else { return tensor }
  guard broadcastShape(tensor.shape, shape) == shape else {
    return tensor.graph.fail(
      "broadcast: \(tensor.shape.shapeDescription) cannot fill \(shape.shapeDescription); "
        + "aligned at the last axis, sizes must be equal or 1")
  }
  return tensor.graph.append(
    .pointwise(.input(0)), [tensor], TensorType(shape: shape, dtype: computingType([tensor])))
}

private func computingType(_ inputs: [Tensor]) -> DType {
  inputs.contains { $0.dtype == .float64 } ? .float64 : .float32
}

extension Tensor {
  /// `expr` of every element (input 0).
  public func map(_ expr: (Expr) -> Expr) -> Tensor { pointwise(expr(.input(0)), [self]) }

  private func combined(_ other: Tensor, _ op: (Expr, Expr) -> Expr) -> Tensor {
    id == other.id ? map { op($0, $0) } : pointwise(op(.input(0), .input(1)), [self, other])
  }

  public static func + (a: Tensor, b: Tensor) -> Tensor { a.combined(b, +) }
  public static func - (a: Tensor, b: Tensor) -> Tensor { a.combined(b, -) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { a.combined(b, *) }
  public static func / (a: Tensor, b: Tensor) -> Tensor { a.combined(b, /) }
  public static prefix func - (a: Tensor) -> Tensor { a.map { -$0 } }
  public static func + (a: Tensor, b: Double) -> Tensor { a.map { $0 + .constant(b) } }
  public static func - (a: Tensor, b: Double) -> Tensor { a.map { $0 - .constant(b) } }
  public static func * (a: Tensor, b: Double) -> Tensor { a.map { $0 * .constant(b) } }
  public static func / (a: Tensor, b: Double) -> Tensor { a.map { $0 / .constant(b) } }
  public static func + (a: Double, b: Tensor) -> Tensor { b.map { .constant(a) + $0 } }
  public static func - (a: Double, b: Tensor) -> Tensor { b.map { .constant(a) - $0 } }
  public static func * (a: Double, b: Tensor) -> Tensor { b.map { .constant(a) * $0 } }
  public static func / (a: Double, b: Tensor) -> Tensor { b.map { .constant(a) / $0 } }

  // Numbers of other types; generic, so that a literal stays a `Double`.
  public static func + (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a + Double(b) }
  public static func - (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a - Double(b) }
  public static func * (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a * Double(b) }
  public static func / (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a / Double(b) }
  public static func + (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Double(a) + b }
  public static func - (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Double(a) - b }
  public static func * (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Double(a) * b }
  public static func / (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Double(a) / b }
}

/// `e^x` of every element.
public func exp(_ x: Tensor) -> Tensor { x.map(Expr.exp) }
/// `exp(x) - 1` of every element, exact for small `x` too.
public func expm1(_ x: Tensor) -> Tensor { x.map(Expr.expm1) }
/// The natural logarithm of every element.
public func log(_ x: Tensor) -> Tensor { x.map(Expr.log) }
/// `log(1 + x)` of every element, exact for small `x` too.
public func log1p(_ x: Tensor) -> Tensor { x.map(Expr.log1p) }
/// The square root of every element.
public func sqrt(_ x: Tensor) -> Tensor { x.map(Expr.sqrt) }
/// `|x|` of every element; the gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor { x.map(Expr.abs) }
/// The larger of two elements, broadcast; where they are equal the gradient goes to `b`.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { pointwise(.max(.input(0), .input(1)), [a, b]) }
/// The smaller of two elements, broadcast; where they are equal the gradient goes to `b`.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { pointwise(.min(.input(0), .input(1)), [a, b]) }
/// `x^exponent` of every element.
public func pow(_ x: Tensor, _ exponent: Double) -> Tensor { x.map { .pow($0, .constant(exponent)) } }

/// `x` with dropout: each element is zero with probability `rate`, else divided by `1 - rate`. Identity in inference.
///
/// The mask is counter-based: the backward pass computes it again, nothing is stored.
public func dropout(_ x: Tensor, rate: Double) -> Tensor {
  guard x.isValid else { return x }
  guard rate >= 0, rate < 1 else { return x.graph.fail("dropout: the rate \(rate) must be in 0..<1") }
  guard x.graph.mode == .training, rate > 0 else { return x }
  let uniform = Expr.random(state: 1, stream: x.graph.nextRandomStream())
  let kept = Expr.ifGreater(.constant(rate), uniform, then: 0, otherwise: .input(0) * .constant(1 / (1 - rate)))
  return pointwise(kept, [x, x.graph.randomState])
}

/// An expression of each element.
package struct Pointwise: Hashable, Operation {
  package let expr: Expr

  package var name: String { "pointwise" }
  package var attributes: String { "\(expr)" }
  package var arity: Int? { nil }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    guard expr.randomStates.isEmpty else { return .whole }
    let full = operands.indices.filter {
      operands[$0].shape.count == result.shape.count && operands[$0].shape.first == count
    }
    return full.isEmpty ? .whole : .rows(full)
  }

  /// Chain rule, with the node's own result in place of its formula where the derivative contains it.
  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    let (inputs, result) = (site.inputs, site.result)
    return inputs.indices.map { i -> Tensor? in
      guard site.wanted[i] else { return nil }
      let derivative = expr.derivative(by: i)
      if derivative == 0 { return nil }
      // Slots: 0... the inputs, then the result, then the incoming gradient.
      let resultSlot = Expr.input(inputs.count)
      let product = derivative.replacing(expr, with: resultSlot) * .input(inputs.count + 1)
      return site.graph.adjoint(
        product, of: inputs[i], reading: inputs + [result, site.gradient], shape: result.shape)
    }
  }
}

extension Graph {
  /// `product`, elementwise over `shape`, summed over the axes along which `input` was repeated to fill it.
  func adjoint(_ product: Expr, of input: Tensor, reading inputs: [Tensor], shape: [Int]) -> Tensor {
    if shape.count > 1, input.shape == [shape[shape.count - 1]],
      let sum = channelSum(product, compacting: inputs, shape: shape)
    {
      return sum
    }
    return sum(pointwise(compacting: product, inputs, shape: shape), to: input.shape)
  }

  /// A pointwise node of exactly the inputs that `expr` uses.
  private func pointwise(compacting expr: Expr, _ inputs: [Tensor], shape: [Int]) -> Tensor {
    let used = expr.inputs.sorted()
    if case .input(let only) = expr { return broadcast(inputs[only], to: shape) }
    let operands = used.map { inputs[$0] }
    let dtype: DType = operands.contains { $0.dtype == .float64 } ? .float64 : .float32
    return append(.pointwise(expr.renaming(used)), operands, TensorType(shape: shape, dtype: dtype))
  }

  /// The adjoint of broadcasting: `tensor` summed over the axes along which `shape` was repeated.
  func sum(_ tensor: Tensor, to shape: [Int]) -> Tensor {
    guard tensor.isValid, tensor.shape != shape else { return tensor }
    let lead = tensor.rank - shape.count
    let axes = tensor.shape.indices.filter { $0 < lead || (shape[$0 - lead] == 1 && tensor.shape[$0] != 1) }
    return reshape(reduceSum(tensor, axes: Array(axes)), to: shape)
  }
}
