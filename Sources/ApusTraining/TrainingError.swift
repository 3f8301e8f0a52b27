/// Training cannot go on: what is wrong, where, and what to do.
public struct TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// An argument of the call is out of range, or two of them do not go together.
    case invalidArgument
    /// Inputs or targets that cannot be trained on; found before the first step.
    case badData
    /// The loss became infinite or not a number.
    case nonFiniteLoss
    /// A weight file or run folder that does not fit the model, or is damaged.
    case badFile
  }

  public let code: Code
  /// The argument, data set, file or step.
  public let place: String
  public let reason: String

  init(_ code: Code, at place: String, _ reason: String) {
    self.code = code
    self.place = place
    self.reason = reason
  }

  public var description: String { "\(place): \(reason)" }
}
