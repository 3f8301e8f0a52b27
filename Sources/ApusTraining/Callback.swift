/// Told of what happens in training; may stop it or change the learning rate.
///
/// ```swift
/// final class HalveEachEpoch: Callback {
///   func handle(_ event: TrainingEvent, in trainer: Trainer) {
///     if case .epochEnded = event { trainer.learningRate /= 2 }
///   }
/// }
/// ```
public protocol Callback: AnyObject {
  /// An error thrown here ends the training and is thrown by `fit`.
  func handle(_ event: TrainingEvent, in trainer: Trainer) throws
}

/// What happens in training, in this order.
public enum TrainingEvent: Sendable {
  case trainingBegan(Schedule)
  /// The number of the epoch, from 1.
  case epochBegan(Int)
  /// Loss and metrics were read, about ten times a second.
  case progress(Progress)
  case epochEnded(History.Epoch)
  case trainingEnded(wasStopped: Bool)

  /// What one call of `fit` is about to do.
  public struct Schedule: Sendable, Hashable {
    public let epochs: ClosedRange<Int>
    public let stepsPerEpoch: Int
    /// Samples an epoch, validation not counted.
    public let samples: Int
    public let batchSize: Int
  }

  /// How far an epoch has come.
  public struct Progress: Sendable, Hashable {
    public let epoch: Int
    /// Steps done, of `stepsPerEpoch`.
    public let step: Int
    public let stepsPerEpoch: Int
    /// Since the epoch began.
    public let seconds: Double
    /// Means over the epoch so far.
    public let result: Evaluation
  }
}
