import ApusCore

/// A number that an optimizer reads at each step: a constant, or a `Schedule`.
///
/// ```swift
/// let constant = SGD(learningRate: 0.1)
/// let schedule = SGD(learningRate: .cosineDecay(from: 0.1, over: 10_000))
/// ```
/// Encoded as a number, or as an object with the schedule's name and what the schedule encodes to:
/// `{"schedule": "cosine_decay", "from": 0.1, "to": 0, "over": 10000}`.
public struct Hyperparameter: Sendable {
  private enum Form: Sendable {
    case constant(Double)
    case schedule(any Schedule)
  }

  private let form: Form

  /// A number that stays.
  public init(_ value: Double) { form = .constant(value) }
  /// A number that follows a schedule.
  public init(_ schedule: some Schedule) { form = .schedule(schedule) }

  /// The value at `step`, 1 for the first.
  public func callAsFunction(_ step: Int) -> Double {
    switch form {
    case .constant(let value): value
    case .schedule(let schedule): schedule.value(after: step - 1)
    }
  }

  /// The schedule that it follows; `nil` for a constant.
  public var schedule: (any Schedule)? {
    if case .schedule(let schedule) = form { schedule } else { nil }
  }

  /// The hyperparameter times `factor`, at each step.
  public func scaled(by factor: Double) -> Hyperparameter {
    if factor == 1 { return self }
    return switch form {
    case .constant(let value): Hyperparameter(value * factor)
    case .schedule: Hyperparameter(Scaled(self, by: factor))
    }
  }

  /// Why it cannot be a learning rate or the like, which is a finite number that is not negative; `nil` where it can.
  package var problem: String? {
    if let problem = schedule?.problem { return "the schedule \(schedule!.name): \(problem)" }
    let first = self(1)
    return first.isFinite && first >= 0 ? nil : "\(first) at the first step; give a number such as 0.001"
  }
}

extension Hyperparameter: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }
}

/// What a hyperparameter can be made of: a number, a schedule, another hyperparameter.
public protocol HyperparameterConvertible: Sendable {
  var hyperparameter: Hyperparameter { get }
}

extension Double: HyperparameterConvertible {
  public var hyperparameter: Hyperparameter { Hyperparameter(self) }
}

extension Hyperparameter: HyperparameterConvertible {
  public var hyperparameter: Hyperparameter { self }
}

extension Hyperparameter: Hashable {
  public static func == (a: Hyperparameter, b: Hyperparameter) -> Bool {
    switch (a.form, b.form) {
    case (.constant(let x), .constant(let y)): x == y
    case (.schedule(let x), .schedule(let y)): AnyHashable(x) == AnyHashable(y)
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch form {
    case .constant(let value): hasher.combine(value)
    case .schedule(let schedule): hasher.combine(AnyHashable(schedule))
    }
  }
}

extension Hyperparameter: Codable {
  private static let nameKey = "schedule"

  /// - Throws: `UnknownNameError` for a schedule that is in no catalogue.
  public init(from decoder: any Decoder) throws {
    if let value = try? decoder.singleValueContainer().decode(Double.self) {
      self.init(value)
      return
    }
    let name = try decoder.partName(Self.nameKey)
    let schedule: any Schedule = try Schedules.catalog.part(named: name).init(from: decoder)
    self.init(schedule)
  }

  public func encode(to encoder: any Encoder) throws {
    switch form {
    case .constant(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .schedule(let schedule): try schedule.encode(to: encoder, nameKey: Self.nameKey)
    }
  }
}

extension Hyperparameter: CustomStringConvertible {
  /// `0.1`, or the schedule as Swift prints it.
  public var description: String {
    switch form {
    case .constant(let value): "\(value)"
    case .schedule(let schedule): "\(schedule)"
    }
  }
}
