/// Data cannot be had or used: what happened, where, and what to do.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// An argument of the call is out of range.
    case invalidArgument
    /// Files are not where they were looked for, and could not be downloaded.
    case notFound
    /// Files are there, but damaged, cut short, inconsistent, or of another kind.
    case malformed
    /// A library that reads or writes such files is not installed.
    case missingLibrary
  }

  public let kind: Kind
  /// The file, folder, data set or call.
  public let place: String
  /// What is wrong.
  public let reason: String
  /// What to do about it, where there is something to say.
  public let advice: String?

  package init(_ kind: Kind, at place: String, _ reason: String, advice: String? = nil) {
    self.kind = kind
    self.place = place
    self.reason = reason
    self.advice = advice
  }

  public var description: String {
    guard let advice else { return "\(place): \(reason)" }
    return "\(place): \(reason)\(reason.contains("\n") ? "\n" : "; ")\(advice)"
  }
}
