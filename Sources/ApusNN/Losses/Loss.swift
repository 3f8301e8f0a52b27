public import ApusCore

/// What training makes small: one number for each sample, of which the mean over the batch is taken.
///
/// Formulas are Keras's, with one difference: the cross entropies expect **logits** unless told otherwise, since the
/// models by name end in a layer without softmax, and logits give the more exact loss. A model that ends in a softmax
/// or sigmoid is refused then, instead of being squashed twice; use `fromLogits: false` for it.
///
/// ```swift
/// let trainer = try Trainer(model, loss: .sparseCategoricalCrossEntropy)          // Dense(10) at the end
/// let other = try Trainer(model, loss: .meanSquaredError)
/// ```
/// A loss of one's own is one struct. Registered, runs can name it:
///
/// ```swift
/// struct Focal: Loss {
///   var gamma = 2.0
///   var outputs: ModelOutputs { .classes(fromLogits: true, labels: .sparse) }
///   func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
///     let losses = softmaxCrossEntropy(prediction, labels: target)
///     return losses.map { .pow(1 - .exp(-$0), .constant(gamma)) * $0 }
///   }
/// }
/// Losses.catalog.register(Focal())
/// ```
public protocol Loss: Configurable {
  /// What the model's outputs mean: by it, metrics, probabilities and checks of labels are made.
  var outputs: ModelOutputs { get }
  /// No value of the loss is smaller: one that is comes from a fault. Without a bound minus infinity.
  var lowerBound: Double { get }
  /// The loss of a model that knows nothing, as far as that can be told.
  ///
  /// - Parameter count: length of the last axis of the model's outputs.
  func guess(outputs count: Int) -> Double?
  /// The loss of each sample.
  ///
  /// - Parameters:
  ///   - prediction: the model's output `[N, ...]`.
  ///   - target: `[N, ...]`.
  /// - Returns: `[N]`. Mistakes are recorded in the graph (`graph.fail`) and thrown by `Graph.trace`.
  func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor
}

extension Loss {
  public var lowerBound: Double { -.infinity }
  public func guess(outputs count: Int) -> Double? { nil }
}

/// What the outputs of a model mean to its loss.
public enum ModelOutputs: Hashable, Sendable {
  /// What the targets of classes are.
  public enum Labels: Hashable, Sendable {
    /// Class numbers, int32.
    case sparse
    /// Probabilities of all classes.
    case dense
  }

  /// Along the last axis a number for each class, of which one is right.
  case classes(fromLogits: Bool, labels: Labels)
  /// Each by itself how likely something is.
  case binary(fromLogits: Bool)
  /// Numbers that are to be met.
  case values
}

/// The losses that have a name, each with its defaults.
public enum Losses {
  public static let catalog = Catalog<any Loss>(
    "loss",
    [
      SparseCategoricalCrossEntropy(), CategoricalCrossEntropy(), BinaryCrossEntropy(), MeanSquaredError(),
      MeanAbsoluteError(),
    ]
  ) { $0.name }
}

extension Catalog<any Loss> {
  /// Adds a loss of one's own, with its defaults, under its name.
  public func register(_ loss: any Loss) { register(loss, as: loss.name) }
}
