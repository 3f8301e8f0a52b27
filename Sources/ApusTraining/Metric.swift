import ApusCore
import ApusNN

/// What is reported beside the loss, as a mean over samples.
public enum Metric: Hashable, Sendable {
  /// Share of samples whose most likely class is the right one; with binary cross entropy, share of outputs on the
  /// right side of probability one half.
  case accuracy
  /// Share of samples whose right class is among the k most likely ones.
  case topK(Int)

  /// The name in histories and on progress bars: `accuracy`, `top_5_accuracy`.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .topK(let k): "top_\(k)_accuracy"
    }
  }

  /// The metric of that name.
  public init?(name: String) {
    if name == "accuracy" {
      self = .accuracy
    } else if name.hasPrefix("top_"), name.hasSuffix("_accuracy"), let k = Int(name.dropFirst(4).dropLast(9)), k > 0 {
      self = .topK(k)
    } else {
      return nil
    }
  }

  /// Why the metric cannot be had with `loss`, if it cannot.
  func problem(with loss: Loss) -> String? {
    if case .topK(let k) = self, k < 1 { return "\(name): k must be at least 1" }
    switch (loss.kind, self) {
    case (.sparseCategoricalCrossEntropy, _), (.categoricalCrossEntropy, _), (.binaryCrossEntropy, .accuracy):
      return nil
    case (.binaryCrossEntropy, .topK): return "\(name) needs classes; use .accuracy with \(loss.kind.rawValue)"
    case (.meanSquaredError, _), (.meanAbsoluteError, _):
      return "\(name) has no meaning with \(loss.kind.rawValue); leave the metrics empty"
    }
  }
}

/// Encoded as its name.
extension Metric: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let metric = Metric(name: name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "there is no metric '\(name)'")
    }
    self = metric
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}

/// A number for each sample, as an expression of tensors `[N]`: accumulated without a launch of its own.
struct SampleTerm {
  var expression: Expr
  var inputs: [Tensor]

  /// The values of `tensor`, `[N]`.
  init(_ tensor: Tensor) {
    expression = .input(0)
    inputs = [tensor]
  }

  init(_ expression: Expr, _ inputs: [Tensor]) {
    self.expression = expression
    self.inputs = inputs
  }
}

extension Metric {
  /// The metric of each sample; `prediction` and `target` have passed the loss's checks.
  func term(_ prediction: Tensor, _ target: Tensor, loss: Loss) -> SampleTerm {
    let isRight = Expr.ifEqual(.input(0), .input(1), then: 1, otherwise: 0)
    if loss.kind == .binaryCrossEntropy {
      let threshold: Expr = loss.fromLogits ? 0 : 0.5
      let guess = Expr.ifGreater(.input(0), threshold, then: 1, otherwise: 0)
      let right = Expr.ifEqual(guess, .input(1), then: 1, otherwise: 0)
      return Self.samples(SampleTerm(right, [prediction, reshape(target, to: prediction.shape)]))
    }
    let labels = loss.kind == .sparseCategoricalCrossEntropy ? target : argMax(target)
    switch self {
    case .accuracy:
      return Self.samples(SampleTerm(isRight, [argMax(prediction), labels]))
    case .topK(let k):
      // The right class is among the first k when fewer than k classes are more likely.
      let mask = oneHot(labels, classes: prediction.shape[prediction.rank - 1])
      let score = reduceSum(prediction * mask, axes: [-1], keepingAxes: true)
      let better = pointwise(.ifGreater(.input(0), .input(1), then: 1, otherwise: 0), [prediction, score])
      let count = reduceSum(better, axes: [-1])
      return Self.samples(SampleTerm(.ifGreater(.constant(Double(k)), .input(0), then: 1, otherwise: 0), [count]))
    }
  }

  /// `term` averaged over all axes but the first.
  private static func samples(_ term: SampleTerm) -> SampleTerm {
    guard let shape = term.inputs.first?.shape, shape.count != 1 else { return term }
    let rows = reshape(pointwise(term.expression, term.inputs), to: [shape[0], -1])
    return SampleTerm(reduceMean(rows, axes: [1]))
  }
}
