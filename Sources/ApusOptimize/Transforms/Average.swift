import ApusCore

/// A moving average of the weights, beside the weights that are trained: `a <- decay * a + (1 - decay) * p` after each
/// change; after the first, `a <- p`.
///
/// What is evaluated, predicted and saved as the model of a run are the averages; training goes on from the weights
/// themselves, which checkpoints hold, too. Statistics of batch normalization are averages of their own. Keras's
/// `use_ema`, PyTorch's `AveragedModel` with `get_ema_multi_avg_fn`. Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
public struct Average: GradientTransform, Hashable {
  public let decay: Double

  public init(decay: Double = 0.99) { self.decay = decay }

  public var states: [TransformState] { [TransformState("average", standsForWeights: true)] }

  public func appendValues(step: Int, update: Int, to values: inout [Double]) { values.append(update == 1 ? 0 : decay) }

  public func apply(to gradients: inout Gradients) {
    let (decay, old) = (gradients.values[0], gradients.states[0])
    gradients.setState(0) { decay * old + (1 - decay) * $0 }
  }

  public var problem: String? {
    decay >= 0 && decay < 1 ? nil : "a decay of \(decay); give at least 0 and less than 1, such as 0.999"
  }
}
