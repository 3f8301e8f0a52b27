/// A safetensors file is damaged, hostile or holds what cannot be represented; or the given tensors cannot be written.
public struct SafetensorsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong, naming the tensor or the byte where there is one.
  public let reason: String

  public var description: String { "\(path): \(reason)" }
}
