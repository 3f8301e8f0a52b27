import ApusCore

/// A number for each sample, `[N]`, as an expression of tensors `[N]`: accumulated without a launch of its own.
struct SampleTerm {
  var expression = Expr.input(0)
  var inputs: [Tensor]

  /// The values of `tensor`, `[N]`, computed where they are added, if an expression of other such tensors makes them.
  static func unfolding(_ tensor: Tensor) -> SampleTerm {
    guard case .pointwise(let expression) = tensor.graph.nodes[tensor.id].op else {
      return SampleTerm(inputs: [tensor])
    }
    let inputs = tensor.graph.operands(of: tensor)
    return inputs.allSatisfy { $0.shape == tensor.shape }
      ? SampleTerm(expression: expression, inputs: inputs) : SampleTerm(inputs: [tensor])
  }
}
