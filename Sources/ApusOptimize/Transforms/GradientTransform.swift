public import ApusCore

/// A change of the gradients before the optimizer's rule, or of what is kept after it.
///
/// Transforms are applied in order. What they do element by element is part of the optimizer's launch.
///
/// ```swift
/// struct Halve: GradientTransform {
///   func apply(to gradients: inout Gradients) { gradients.element = 0.5 * gradients.element }
/// }
/// let trainer = try Trainer(model, optimizer: SGD(), transforms: [ClipGlobalNorm(1), Halve()])
/// ```
public protocol GradientTransform: Configurable {
  /// What the transform keeps from step to step.
  var states: [TransformState] { get }
  /// Steps of which the transform makes one change of the weights.
  var stepsPerUpdate: Int { get }
  /// Appends the numbers that `apply` reads as `gradients.values` and that may differ from step to step.
  ///
  /// - Parameters:
  ///   - step: 1 for the first.
  ///   - update: number of the change of the weights that the step is part of, 1 for the first.
  func appendValues(step: Int, update: Int, to values: inout [Double])
  /// Changes `gradients`. Called when a step is traced.
  func apply(to gradients: inout Gradients)
  /// What is wrong with the transform's own numbers; `nil` for nothing.
  var problem: String? { get }
}

extension GradientTransform {
  public var states: [TransformState] { [] }
  public var stepsPerUpdate: Int { 1 }
  public func appendValues(step: Int, update: Int, to values: inout [Double]) {}
  public var problem: String? { nil }
}

/// A vector that a transform keeps, of as many numbers as there are weights.
public struct TransformState: Sendable, Hashable {
  /// In checkpoints, before the parameter's path.
  public let name: String
  /// Whether it starts as the weights and stands for them in evaluation and prediction; else it starts with zeros.
  public let standsForWeights: Bool

  public init(_ name: String, standsForWeights: Bool = false) {
    (self.name, self.standsForWeights) = (name, standsForWeights)
  }
}

/// The transforms that have a name.
public enum GradientTransforms {
  public static let catalog = Catalog<any GradientTransform.Type>(
    "gradient transform", [ClipValue.self, ClipNorm.self, ClipGlobalNorm.self, Accumulate.self, Average.self]
  ) { $0.name }
}

extension Catalog<any GradientTransform.Type> {
  /// Adds a transform of one's own under its name.
  public func register(_ transform: any GradientTransform.Type) { register(transform, as: transform.name) }
}
