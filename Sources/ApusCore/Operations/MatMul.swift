/// Matrix product of the last two axes, each operand transposed first where its flag says so.
public struct MatMul: Hashable, Sendable {
  public var transposeA = false
  public var transposeB = false

  package init(transposeA: Bool = false, transposeB: Bool = false) {
    (self.transposeA, self.transposeB) = (transposeA, transposeB)
  }

}

extension MatMul: CustomStringConvertible {
  public var description: String { "\(transposeA ? "Aᵀ" : "A")·\(transposeB ? "Bᵀ" : "B")" }
}

extension MatMul: Operation {
  package var name: String { "matMul" }
  package var attributes: String { description }
  package var arity: Int? { 2 }

  /// `2 * m * n * k` for each matrix.
  package func contractionOperations(inputs: [[Int]], result: [Int]) -> Double {
    2 * result.map(Double.init).reduce(Double(inputs[0][inputs[0].count - (transposeA ? 2 : 1)]), *)
  }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    guard operands.allSatisfy({ $0.shape.count == 2 }) else { return .whole }
    return transposeA ? (transposeB ? .whole : .sum([0, 1])) : .rows([0])
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    let (a, b, dy, wanted) = (site.inputs[0], site.inputs[1], site.gradient, site.wanted)
    return [
      wanted[0]
        ? transposeA
          ? matMul(b, dy, transposeA: transposeB, transposeB: true)
          : matMul(dy, b, transposeB: !transposeB)
        : nil,
      wanted[1]
        ? transposeB
          ? matMul(dy, a, transposeA: true, transposeB: transposeA)
          : matMul(a, dy, transposeA: !transposeA)
        : nil,
    ]
  }
}

/// `y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]`
///
/// - Parameters:
///   - a: `[batch..., M, K]`, or `[batch..., K, M]` with `transposeA`.
///   - b: `[batch..., K, N]`, or `[batch..., N, K]` with `transposeB`. The batch axes must be those of `a`; a matrix
///     without batch axes serves every one of an untransposed `a`.
/// - Returns: `[batch..., M, N]`
public func matMul(_ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
  guard a.isValid, b.isValid else { return Tensor(graph: a.graph, id: -1) }
  func failed(_ rule: String) -> Tensor {
    a.graph.fail(
      "matMul: \(a.shape.shapeDescription)\(transposeA ? " (transposed)" : "") and "
        + "\(b.shape.shapeDescription)\(transposeB ? " (transposed)" : "") do not multiply; \(rule)")
  }
  guard a.rank >= 2, b.rank >= 2 else { return failed("both need at least two axes") }
  if a.rank > 2, b.rank == 2, !transposeA {
    let rows = reshape(a, to: [a.shape.dropLast().reduce(1, *), a.shape[a.rank - 1]])
    let product = matMul(rows, b, transposeB: transposeB)
    guard product.isValid else { return product }
    return reshape(product, to: a.shape.dropLast() + [product.shape[1]])
  }
  guard a.shape.dropLast(2) == b.shape.dropLast(2) else { return failed("the batch axes must be equal") }
  let (m, k) = transposeA ? (a.shape[a.rank - 1], a.shape[a.rank - 2]) : (a.shape[a.rank - 2], a.shape[a.rank - 1])
  let (kb, n) = transposeB ? (b.shape[b.rank - 1], b.shape[b.rank - 2]) : (b.shape[b.rank - 2], b.shape[b.rank - 1])
  guard k == kb else { return failed("the inner sizes \(k) and \(kb) must be equal") }
  guard a.dtype == b.dtype, a.dtype.isFloatingPoint else {
    return failed("both must have one floating-point type, not \(a.dtype) and \(b.dtype)")
  }
  return a.graph.append(
    .matMul(MatMul(transposeA: transposeA, transposeB: transposeB)), [a, b],
    TensorType(shape: a.shape.dropLast(2) + [m, n], dtype: a.dtype))
}
