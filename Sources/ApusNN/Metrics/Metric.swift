public import ApusCore

/// What is reported beside the loss, as a mean over samples.
///
/// A metric of one's own is one struct; registered, runs can name it:
///
/// ```swift
/// struct MeanError: Metric {
///   func callAsFunction(_ prediction: Tensor, _ target: Tensor, outputs: ModelOutputs) -> Tensor {
///     reduceMean(abs(prediction - target), axes: [1])
///   }
/// }
/// Metrics.catalog.register(MeanError())
/// ```
public protocol Metric: Configurable {
  /// In histories and on progress bars: `accuracy`, `top_5_accuracy`; the name of the type when not given.
  var label: String { get }
  /// Why the metric cannot be had of such outputs, if it cannot.
  func problem(with outputs: ModelOutputs) -> String?
  /// The metric of each sample.
  ///
  /// - Parameters:
  ///   - prediction: the model's output `[N, ...]`; it and `target` have passed the loss's checks.
  ///   - target: `[N, ...]`.
  ///   - outputs: what they mean.
  /// - Returns: `[N]`.
  func callAsFunction(_ prediction: Tensor, _ target: Tensor, outputs: ModelOutputs) -> Tensor
}

extension Metric {
  public var label: String { name }
  public func problem(with outputs: ModelOutputs) -> String? { nil }

  /// The mean of each sample's values: `[N]`.
  static func samples(_ values: Tensor) -> Tensor {
    guard values.isValid, values.rank != 1 else { return values }
    return reduceMean(reshape(values, to: [values.shape[0], -1]), axes: [1])
  }
}

/// The metrics that have a name, each with its defaults.
public enum Metrics {
  public static let catalog = Catalog<any Metric>("metric", [Accuracy(), TopKAccuracy(5)]) { $0.name }
}

extension Catalog<any Metric> {
  /// Adds a metric of one's own, with its defaults, under its name.
  public func register(_ metric: any Metric) { register(metric, as: metric.name) }
}
