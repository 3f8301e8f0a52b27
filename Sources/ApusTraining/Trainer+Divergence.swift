import ApusCore
import ApusNN

extension Trainer {
  /// What there is to say of a training that has gone wrong although its loss is a number: `nil` where the last epoch's
  /// loss is less than three times that of a guess.
  ///
  /// A guess gives each of C classes the same probability, a loss of `log C`. For regression it is the first epoch.
  public var divergence: String? {
    guard let last = history.epochs.last, let guess = guessLoss, last.loss > 3 * guess.loss else { return nil }
    return "training has diverged: the loss, \(ProgressBar.formatted(last.loss)), is far above "
      + "\(guess.name) (\(ProgressBar.formatted(guess.loss))); try a learning rate below \(learningRate); if that "
      + "changes nothing, check \(device.identifier) with `apus doctor`"
  }

  /// - Throws: `nonFiniteLoss` for a loss that no finite weights give: what it is does not tell training that diverged
  ///   from a device that computes or returns nonsense. Below its bound a loss comes by rounding alone.
  func requirePossible(_ loss: Double, at place: String) throws(TrainingError) {
    if loss.isFinite && loss > outputs.lowerBound - 1e-3 { return }
    throw TrainingError(
      .nonFiniteLoss, at: place,
      "the loss read from \(device.identifier) (\(device.name)) is \(loss.text): either training has diverged at a "
        + "learning rate of \(learningRate) (a smaller one helps then, and the checked mode names the layer), or the "
        + "device gives wrong results: `apus doctor` checks it")
  }

  private var guessLoss: (name: String, loss: Double)? {
    if let guess = outputs.guess(outputShapes) { return ("that of a guess", guess) }
    guard history.epochs.count > 1, history.epochs[0].loss > 0 else { return nil }
    return ("that of the first epoch", history.epochs[0].loss)
  }
}
