/// A part of a training that is chosen by name, and that runs and checkpoints store by its name and all that it was made
/// with: what it encodes to.
public protocol Configurable: Codable, Sendable {
  /// In catalogues and files; the type's name in snake case when not given.
  static var name: String { get }
}

extension Configurable {
  public static var name: String { snakeCase("\(Self.self)") }

  /// The name of the type.
  public var name: String { Self.name }
}

/// Keys of JSON that are made while running.
package struct NameKey: CodingKey {
  package let stringValue: String
  package var intValue: Int? { nil }

  package init(_ name: String) { stringValue = name }
  package init?(stringValue: String) { self.stringValue = stringValue }
  package init?(intValue: Int) { nil }
}

/// `MyBlock` is `my_block`, `Conv2D` is `conv2d`: the rule by which Keras names layers after their types.
package func snakeCase(_ typeName: String) -> String {
  let letters = Array(typeName.prefix { $0 != "<" })
  var name = ""
  for (i, letter) in letters.enumerated() {
    if letter.isUppercase, i > 0 {
      let startsWord = i + 1 < letters.count && (letters[i + 1].isLowercase || letters[i + 1].isNumber)
      if letters[i - 1].isLowercase || startsWord { name += "_" }
    }
    name += letter.lowercased()
  }
  return name
}

extension Configurable {
  /// Encodes the part with its name under `key`.
  package func encode(to encoder: any Encoder, nameKey key: String) throws {
    try encode(to: encoder)
    var container = encoder.container(keyedBy: NameKey.self)
    try container.encode(name, forKey: NameKey(key))
  }
}

extension Decoder {
  /// The name of the part that is encoded here, under `key`.
  package func partName(_ key: String) throws -> String {
    try container(keyedBy: NameKey.self).decode(String.self, forKey: NameKey(key))
  }
}
