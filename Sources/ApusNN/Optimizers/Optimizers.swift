/// The optimizers that have a name.
public enum Optimizers {
  public static let names = ["sgd", "adam", "adamw", "rmsprop"]

  /// The optimizer of that name with its defaults.
  ///
  /// - Parameter learningRate: the optimizer's own default when not given.
  /// - Throws: `UnknownOptimizerError`.
  public static func make(_ name: String, learningRate: Double? = nil) throws -> any Optimizer {
    var optimizer: any Optimizer
    switch name.lowercased() {
    case "sgd": optimizer = SGD()
    case "adam": optimizer = Adam()
    case "adamw": optimizer = AdamW()
    case "rmsprop": optimizer = RMSprop()
    default: throw UnknownOptimizerError(name: name)
    }
    if let learningRate { optimizer.learningRate = learningRate }
    return optimizer
  }
}

/// No optimizer has this name.
public struct UnknownOptimizerError: Error, Hashable, Sendable, CustomStringConvertible {
  public let name: String

  public var description: String {
    "there is no optimizer '\(name)'; choose one of \(Optimizers.names.joined(separator: ", "))"
  }
}
