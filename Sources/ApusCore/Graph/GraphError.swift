/// A mistake in a model or its inputs: where it is (a layer's or parameter's name) and what is wrong.
public struct GraphError: Error, Hashable, Sendable, CustomStringConvertible {
  public var label: String
  public var message: String

  public init(label: String, message: String) {
    self.label = label
    self.message = message
  }

  public var description: String { label.isEmpty ? message : "\(label): \(message)" }
}
