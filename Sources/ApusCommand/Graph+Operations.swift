import ApusCore

extension Graph {
  /// Floating-point operations of all convolutions and products of the graph, a multiply-add counted as two.
  ///
  /// Everything else adds a few percent and is not counted, as is usual in the field.
  var contractionOperations: Double {
    nodes.reduce(0) { total, node in
      let inputs = node.inputs.map { nodes[$0].type.shape }
      switch node.op {
      case .conv2D: return total + Self.operations(result: node.type.shape, kernel: inputs[1])
      case .conv2DInputGradient: return total + Self.operations(result: inputs[0], kernel: inputs[1])
      case .conv2DFilterGradient: return total + Self.operations(result: inputs[1], kernel: node.type.shape)
      case .matMul(let product):
        let length = inputs[0][inputs[0].count - (product.transposeA ? 2 : 1)]
        return total + 2 * node.type.shape.map(Double.init).reduce(Double(length), *)
      case .input, .constant, .parameter, .pointwise, .update, .pool2D, .pool2DGradient, .reduce, .channelSums,
        .argMax, .softmax,
        .crossEntropy, .crossEntropyGradient, .reshape, .transpose, .slice, .concat, .pad, .pack, .gather,
        .gatherGradient:
        return total
      }
    }
  }

  /// Of a convolution or one of its gradients: each element of the result `[N, P, Q, K]` meets a window
  /// `[R, S, C / groups]` once.
  private static func operations(result: [Int], kernel: [Int]) -> Double {
    2 * (result + kernel.dropLast()).map(Double.init).reduce(1, *)
  }
}
