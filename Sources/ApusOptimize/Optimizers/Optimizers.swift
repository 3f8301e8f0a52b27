public import ApusCore

/// The optimizers that have a name, each with its defaults.
public enum Optimizers {
  public static let catalog = Catalog<any Optimizer>("optimizer", [SGD(), Adam(), AdamW(), RMSprop()]) { $0.name }
}

extension Catalog<any Optimizer> {
  /// Adds an optimizer of one's own, with its defaults, under its name.
  public func register(_ optimizer: any Optimizer) { register(optimizer, as: optimizer.name) }

  /// The optimizer of that name.
  ///
  /// - Parameter learningRate: the optimizer's own default when not given.
  public func make(
    _ name: String, learningRate: Hyperparameter? = nil
  ) throws(UnknownNameError) -> any Optimizer {
    var optimizer = try part(named: name.lowercased())
    if let learningRate { optimizer.learningRate = learningRate }
    return optimizer
  }
}
