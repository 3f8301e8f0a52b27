public import ApusCore

/// A hyperparameter as a pure function of the number of steps, so that there is nothing to save: the same step of a run
/// that is resumed has the same value.
///
/// A schedule of one's own is one struct; registered, runs and checkpoints can name it:
///
/// ```swift
/// struct InverseRoot: Schedule {
///   var first = 0.1
///   func value(after steps: Int) -> Double { first / Double(steps + 1).squareRoot() }
/// }
/// Schedules.catalog.register(InverseRoot.self)
/// let optimizer = SGD(learningRate: InverseRoot())
/// ```
public protocol Schedule: Configurable, Hashable, HyperparameterConvertible {
  /// The value for the step that follows `steps` others: that of the first step is `value(after: 0)`.
  func value(after steps: Int) -> Double
  /// What is wrong with the schedule's own numbers; `nil` for nothing.
  var problem: String? { get }
}

extension Schedule {
  public var problem: String? { nil }
  public var hyperparameter: Hyperparameter { Hyperparameter(self) }
}

/// The schedules that have a name.
public enum Schedules {
  public static let catalog = Catalog<any Schedule.Type>(
    "schedule",
    [
      StepDecay.self, ExponentialDecay.self, CosineDecay.self, PolynomialDecay.self, OneCycle.self, WarmUp.self,
      Scaled.self,
    ]
  ) { $0.name }
}

extension Catalog<any Schedule.Type> {
  /// Adds a schedule of one's own under its name.
  public func register(_ schedule: any Schedule.Type) { register(schedule, as: schedule.name) }
}

/// What is wrong with a number of steps.
func stepsProblem(_ steps: Int, _ name: String) -> String? {
  steps > 0 ? nil : "\(name) is \(steps) steps; give at least 1"
}

/// What is wrong with a factor that is applied again and again.
func factorProblem(_ factor: Double) -> String? {
  factor.isFinite && factor > 0 ? nil : "a factor of \(factor); give one above 0, such as 0.1"
}
