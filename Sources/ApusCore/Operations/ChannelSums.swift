/// Sums over all axes but the last: `y[k, c] = sum over rows r of expressions[k](x0[r, c], x1[r, c], ...)`.
///
/// An input has all elements, one for each channel c, or one for everything; the first one has all. The result is
/// `[expressions.count, C]`, from one pass over the inputs. Compiling makes one node of sums of the same inputs.
public struct ChannelSums: Hashable, Sendable, CustomStringConvertible {
  public var expressions: [Expr]
  /// The rows that are summed, where they are not all.
  public internal(set) var sample: Sample?

  /// Rows spread over all: the first few of every block.
  public struct Sample: Hashable, Sendable {
    package let rows, block: Int

    /// One in 16 of `count` rows, rounded up. Runs of rows are quicker to read than rows by themselves.
    package init(of count: Int) {
      rows = [128, 32].first { count >= 1024 * $0 } ?? 8
      block = 16 * rows
    }

    /// How many of `count` rows are in the sample.
    package func size(of count: Int) -> Int { count / block * rows + min(count % block, rows) }
  }

  public var description: String {
    expressions.map { "sum \($0)" }.joined(separator: "; ") + (sample == nil ? "" : " of a sample")
  }
}

extension ChannelSums: Operation {
  package var name: String { "channelSums" }
  package var attributes: String { description }
  package var arity: Int? { nil }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    // Tiles would have other samples.
    guard operands[0].shape.count > 1, sample == nil else { return .whole }
    return .sum(operands.indices.filter { operands[$0].count == operands[0].count })
  }

  /// The chain rule: `dx = sum over k of dy[k, c] * d expressions[k] / dx`, summed over what `x` repeats along.
  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    precondition(sample == nil, "a sample is a constant")
    let (inputs, dy, wanted) = (site.inputs, site.gradient, site.wanted)
    let channels = dy.shape[1]
    let rows = expressions.indices.map { k in
      reshape(slice(dy, starts: [k, 0], sizes: [1, channels]), to: [channels])
    }
    return inputs.indices.map { i in
      guard wanted[i] else { return nil }
      let derivative = expressions.indices.reduce(Expr.constant(0)) { sum, k in
        sum + .input(inputs.count + k) * expressions[k].derivative(by: i)
      }
      return derivative == 0
        ? nil : dy.graph.adjoint(derivative, of: inputs[i], reading: inputs + rows, shape: inputs[0].shape)
    }
  }
}

/// `y[c] = sum over rows r of expr(x0[r, c], x1[r, c], ...)`, where rows are all axes but the last.
///
/// - Parameter inputs: floating-point tensors: the first one `[..., C]`; the others of its shape, `[C]`, or a scalar.
public func channelSum(_ expr: Expr, _ inputs: [Tensor]) -> Tensor {
  channelSum(ChannelSums(expressions: [expr]), inputs)
}

private func channelSum(_ sums: ChannelSums, _ inputs: [Tensor]) -> Tensor {
  guard let x = inputs.first else { preconditionFailure("channelSum: needs at least one tensor") }
  guard inputs.allSatisfy(\.isValid) else { return Tensor(graph: x.graph, id: -1) }
  guard let channels = x.shape.last else { return x.graph.fail("channelSum: a scalar has no channels") }
  guard sums.expressions.allSatisfy(\.randomStates.isEmpty),
    inputs.allSatisfy({ $0.dtype == x.dtype && $0.dtype.isFloatingPoint }),
    inputs.dropFirst().allSatisfy({ $0.shape == x.shape || $0.shape == [channels] || $0.type.count == 1 })
  else {
    return x.graph.fail(
      "channelSum: inputs \(inputs.map { "\($0.dtype) \($0.shape.shapeDescription)" }): all must have one "
        + "floating-point type, and after the first have its shape, its \(channels) channels, or one element")
  }
  let result = x.graph.append(.channelSums(sums), inputs, TensorType(shape: [1, channels], dtype: x.dtype))
  return reshape(result, to: [channels])
}

/// Mean and biased variance of each channel, the last axis, over all other axes; each `[C]`, from one pass over `x`.
///
/// With `d = x - shift`: `mean = shift + sum(d) / n`, `variance = sum(d * d) / n - (sum(d) / n)^2`. The difference costs
/// digits where the shift is far from the mean. The shift is the mean of a sample of m rows, n / 16 or more. These alone
/// give the variance at least `(m / n) (shift - mean)^2`, so the square that is taken off is at most 16 variances,
/// whatever the rows hold, and less than one where the sample is a typical one.
public func channelMoments(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
  guard x.isValid, let channels = x.shape.last, x.type.count > 0 else {
    let failed = x.isValid ? x.graph.fail("channelMoments: \(x.shape.shapeDescription) has no elements") : x
    return (failed, failed)
  }
  let rows = x.type.count / channels
  let share = Expr.constant(1 / Double(rows))
  let difference = Expr.input(0) - .input(1)
  // From the first row on, so that equal rows differ by exactly zero from the shift.
  let row = reshape(slice(reshape(x, to: [rows, channels]), starts: [0, 0], sizes: [1, channels]), to: [channels])
  let sample = ChannelSums.Sample(of: rows)
  let offset = Expr.input(1) * .constant(1 / Double(sample.size(of: rows)))
  let shift = stopGradient(
    pointwise(.input(0) + offset, [row, channelSum(.init(expressions: [difference], sample: sample), [x, row])]))
  let first = channelSum(difference, [x, shift]), second = channelSum(difference * difference, [x, shift])
  let mean = pointwise(.input(0) + .input(1) * share, [shift, first])
  let square = Expr.input(1) * share * (.input(1) * share)
  return (mean, pointwise(.max(.input(0) * share - square, 0), [second, first]))
}

extension Graph {
  /// `channelSum` of those of `inputs` that `expr` reads, over the rows of a tensor of shape `shape`; `nil` where they
  /// are not what it takes.
  func channelSum(_ expr: Expr, compacting inputs: [Tensor], shape: [Int]) -> Tensor? {
    let read = expr.inputs
    let isFull = inputs.map { $0.shape == shape }
    guard let anyFull = isFull.firstIndex(of: true), expr.randomStates.isEmpty,
      read.allSatisfy({ isFull[$0] || inputs[$0].shape == [shape[shape.count - 1]] || inputs[$0].type.count == 1 }),
      read.allSatisfy({ inputs[$0].dtype == inputs[anyFull].dtype })
    else { return nil }
    // A factor that is the same in all rows is multiplied once, behind the sum.
    let (term, factor) = expr.splittingFactor(of: Set(inputs.indices.filter { !isFull[$0] }))
    var operands = term.inputs.sorted { (isFull[$0] ? 0 : 1, $0) < (isFull[$1] ? 0 : 1, $1) }
    if operands.first.map({ !isFull[$0] }) ?? true { operands.insert(anyFull, at: 0) }
    let sum = ApusCore.channelSum(term.renaming(operands), operands.map { inputs[$0] })
    if factor == 1 { return sum }
    let factors = factor.inputs.sorted()
    return pointwise(.input(factors.count) * factor.renaming(factors), factors.map { inputs[$0] } + [sum])
  }
}

extension Expr {
  /// The expression with input `order[i]` called `i`.
  func renaming(_ order: [Int]) -> Expr {
    var slots = [Expr](repeating: 0, count: (order.max() ?? -1) + 1)
    for (slot, input) in order.enumerated() { slots[input] = .input(slot) }
    return substituting(slots)
  }
}

extension Expr {
  /// `term * factor`, equal to the expression, where the factor reads inputs of `set` only.
  fileprivate func splittingFactor(of set: Set<Int>) -> (term: Expr, factor: Expr) {
    if !inputs.isEmpty, inputs.isSubset(of: set) { return (1, self) }
    switch self {
    case .constant: return (1, self)
    case .unary(.negate, let x):
      let (term, factor) = x.splittingFactor(of: set)
      return (term, -factor)
    case .binary(.multiply, let a, let b):
      let (x, y) = (a.splittingFactor(of: set), b.splittingFactor(of: set))
      return (x.term * y.term, x.factor * y.factor)
    case .binary(.divide, let a, let b) where b.inputs.isSubset(of: set):
      let (term, factor) = a.splittingFactor(of: set)
      return (term, factor / b)
    case .input, .unary, .binary, .select, .random: return (self, 1)
    }
  }
}
