import ApusCore

/// What the built-in losses share.
extension Loss {
  /// Checks what each of them asks for, then runs `body` in the loss's scope.
  func trace(_ prediction: Tensor, _ target: Tensor, smoothing: Double = 0, _ body: () -> Tensor) -> Tensor {
    guard prediction.isValid, target.isValid else { return prediction.isValid ? target : prediction }
    return prediction.graph.scope("loss") {
      guard smoothing >= 0, smoothing < 1 else {
        return fail(prediction, target, "label smoothing \(smoothing) must be in 0..<1")
      }
      guard prediction.shape.first != 0 else { return fail(prediction, target, "the batch must not be empty") }
      if let problem = mismatchedEnding(prediction) { return fail(prediction, target, problem) }
      return body()
    }
  }

  func fail(_ prediction: Tensor, _ target: Tensor, _ rule: String) -> Tensor {
    prediction.graph.fail("\(name): prediction \(prediction.type), target \(target.type): \(rule)")
  }

  /// A formula of each output and its target, averaged over a sample's outputs.
  func elementwise(_ prediction: Tensor, _ target: Tensor, _ formula: (Expr, Expr) -> Expr) -> Tensor {
    guard prediction.rank >= 1, prediction.dtype.isFloatingPoint else {
      return fail(prediction, target, "the prediction must be floating-point [N, ...]")
    }
    let isColumn = prediction.shape == target.shape + [1]
    guard target.shape == prediction.shape || isColumn else {
      return fail(prediction, target, "both must have one shape")
    }
    let losses = pointwise(formula(.input(0), .input(1)), [prediction, reshape(target, to: prediction.shape)])
    return Self.samples(losses, like: prediction)
  }

  /// `(1 - e) * target + e / classes`.
  static func smoothed(_ target: Expr, by share: Double, classes: Int) -> Expr {
    target * .constant(1 - share) + .constant(share / Double(classes))
  }

  /// Keras's `epsilon()`: what keeps a logarithm of a probability finite.
  private static var epsilon: Double { 1e-7 }
  static func clipped(_ p: Expr) -> Expr { .min(.max(p, .constant(epsilon)), .constant(1 - epsilon)) }
  static func clipped(_ p: Tensor) -> Tensor { p.map { clipped($0) } }

  /// The mean of each sample's losses: `[N]`.
  static func samples(_ losses: Tensor, like batch: Tensor) -> Tensor {
    guard losses.isValid else { return losses }
    let rows = reshape(losses, to: [batch.shape[0], losses.shape.elementCount / batch.shape[0]])
    return rows.shape[1] == 1 ? reshape(rows, to: [rows.shape[0]]) : reduceMean(rows, axes: [1])
  }

  /// The rule that the model's last operation breaks: a softmax where logits are asked for, or the reverse.
  private func mismatchedEnding(_ prediction: Tensor) -> String? {
    guard let fromLogits = outputs.fromLogits else { return nil }
    let graph = prediction.graph
    var id = prediction.id
    while case .reshape = graph.nodes[id].op { id = graph.nodes[id].inputs[0] }
    let node = graph.nodes[id]
    switch node.op {
    case .softmax(.softmax), .pointwise(.unary(.sigmoid, .input(0))):
      guard fromLogits else { return nil }
      return "the model ends in probabilities, the loss expects logits; "
        + "remove the last activation (best) or use fromLogits: false"
    case .matMul, .convolution, .pointwise(.binary(.add, .input, .input)):
      let addsBias = node.inputs.contains { graph.nodes[$0].parameter != nil }
      guard !fromLogits, addsBias else { return nil }
      return "the model ends in a linear layer, the loss expects probabilities; "
        + "use fromLogits: true (best) or end the model in Softmax() or Activation.sigmoid"
    default:
      return nil
    }
  }
}

extension ModelOutputs {
  /// Whether they are logits; `nil` where they have nothing to do with probabilities.
  public var fromLogits: Bool? {
    switch self {
    case .classes(let fromLogits, _), .binary(let fromLogits): fromLogits
    case .values: nil
    }
  }
}
