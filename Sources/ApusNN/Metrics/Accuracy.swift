public import ApusCore

/// Share of samples whose most likely class is the right one; of binary outputs, share of those on the right side of
/// probability one half.
public struct Accuracy: Metric, Hashable {
  public init() {}

  public func problem(with outputs: ModelOutputs) -> String? {
    outputs == .values ? "\(label) has no meaning where outputs are values; leave the metrics empty" : nil
  }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor, outputs: ModelOutputs) -> Tensor {
    if case .binary(let fromLogits) = outputs {
      let guess = Expr.ifGreater(.input(0), fromLogits ? 0 : 0.5, then: 1, otherwise: 0)
      let right = Expr.ifEqual(guess, .input(1), then: 1, otherwise: 0)
      return Self.samples(pointwise(right, [prediction, reshape(target, to: prediction.shape)]))
    }
    let right = Expr.ifEqual(.input(0), .input(1), then: 1, otherwise: 0)
    return Self.samples(pointwise(right, [argMax(prediction), outputs.labels(target)]))
  }
}

/// Share of samples whose right class is among the k most likely ones.
public struct TopKAccuracy: Metric, Hashable {
  public let k: Int

  public init(_ k: Int) { self.k = k }

  public var label: String { "top_\(k)_accuracy" }

  public func problem(with outputs: ModelOutputs) -> String? {
    if k < 1 { return "\(label): k must be at least 1" }
    guard case .classes = outputs else { return "\(label) needs outputs that are classes" }
    return nil
  }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor, outputs: ModelOutputs) -> Tensor {
    // The right class is among the first k when fewer than k classes are more likely.
    let mask = oneHot(outputs.labels(target), classes: prediction.shape[prediction.rank - 1])
    let score = reduceSum(prediction * mask, axes: [-1], keepingAxes: true)
    let better = pointwise(.ifGreater(.input(0), .input(1), then: 1, otherwise: 0), [prediction, score])
    let count = reduceSum(better, axes: [-1])
    return Self.samples(count.map { .ifGreater(.constant(Double(k)), $0, then: 1, otherwise: 0) })
  }
}

extension ModelOutputs {
  /// Class numbers of the targets of classes.
  fileprivate func labels(_ target: Tensor) -> Tensor {
    if case .classes(_, labels: .sparse) = self { return target }
    return argMax(target)
  }
}

extension Metric where Self == Accuracy {
  /// `Accuracy()`, for `metrics: [.accuracy]`.
  public static var accuracy: Accuracy { Accuracy() }
}

extension Metric where Self == TopKAccuracy {
  /// `TopKAccuracy(k)`, for `metrics: [.topK(5)]`.
  public static func topK(_ k: Int) -> TopKAccuracy { TopKAccuracy(k) }
}
