// How much a computation has to do, whichever kernel does it: what rates are said in.

extension Op {
  /// Floating-point operations of a convolution or product, a multiply-add counted as two; 0 for everything else, which
  /// adds a few percent to a network and is not counted, as is usual in the field.
  ///
  /// A convolution: `2 * N * P * Q * K * R * S * C / groups`, and so are both its gradients; a product: `2 * m * n * k`
  /// for each matrix.
  ///
  /// - Parameters:
  ///   - inputs: shapes of the operands.
  ///   - result: shape of the result, before a fused pooling.
  package func contractionOperations(inputs: [[Int]], result: [Int]) -> Double {
    switch self {
    case .conv2D: return Self.convolutionOperations(result: result, filter: inputs[1])
    case .conv2DInputGradient: return Self.convolutionOperations(result: inputs[0], filter: inputs[1])
    case .conv2DFilterGradient: return Self.convolutionOperations(result: inputs[1], filter: result)
    case .matMul(let product):
      let length = inputs[0][inputs[0].count - (product.transposeA ? 2 : 1)]
      return 2 * result.map(Double.init).reduce(Double(length), *)
    case .input, .constant, .parameter, .pointwise, .update, .pool2D, .pool2DGradient, .reduce, .channelSums, .argMax,
      .softmax, .crossEntropy, .crossEntropyGradient, .reshape, .transpose, .slice, .concat, .pad, .pack, .gather,
      .gatherGradient:
      return 0
    }
  }

  /// Each element of the forward result `[N, P, Q, K]` meets a window of the filter `[R, S, C / groups, K]` once.
  private static func convolutionOperations(result: [Int], filter: [Int]) -> Double {
    2 * (result + filter.dropLast()).map(Double.init).reduce(1, *)
  }
}

extension Graph {
  /// Floating-point operations of all convolutions and products of the graph.
  package var contractionOperations: Double { nodes.reduce(0) { $0 + $1.contractionOperations(in: nodes) } }
}

extension Graph.Node {
  /// Floating-point operations of the node, if it is a convolution or a product.
  package func contractionOperations(in nodes: [Graph.Node]) -> Double {
    op.contractionOperations(inputs: operands.map { nodes[$0].type.shape }, result: resultType.shape)
  }

  /// Bytes that the node has to read and to write at least: every operand once, those of the epilogue included, and the
  /// result. What a kernel reads again or keeps in between is not counted.
  package func transferredBytes(in nodes: [Graph.Node]) -> Int {
    var read = 0
    for input in Set(inputs) {
      let operand = nodes[input].type
      switch op {
      // Of a large table, the part that is taken.
      case .gather where input == inputs[0], .slice where input == inputs[0]:
        read += min(operand.byteCount, resultType.count * operand.dtype.byteCount)
      default: read += operand.byteCount
      }
    }
    guard case .update(let update) = op else { return read + type.byteCount }
    return update.targets.reduce(read) { $0 + nodes[inputs[$1]].type.byteCount }
  }
}
