import ApusCore

/// Which parameters were frozen when a step was traced: what it trains is laid out then.
struct Freezing {
  private let wasFrozen: [Bool]

  init(_ parameters: [Parameter]) { wasFrozen = parameters.map(\.isFrozen) }

  /// The first of `parameters` that was frozen or unfrozen since.
  func changed(in parameters: [Parameter]) -> Parameter? {
    zip(parameters, wasFrozen).first { $0.isFrozen != $1 }?.0
  }

  /// - Parameters:
  ///   - parameters: those of the beginning, in the same order.
  ///   - moment: what happened then, and what to make anew.
  func requireUnchanged(in parameters: [Parameter], by moment: @autoclosure () -> String) throws {
    guard let parameter = changed(in: parameters) else { return }
    throw TrainingError(
      .invalidArgument, at: parameter.name,
      "was \(parameter.isFrozen ? "frozen" : "unfrozen") after \(moment()) of the same model, which goes on from its "
        + "weights")
  }
}
