import ApusCore

/// Transforms in their order, as files hold them: objects with a name and what each encodes to.
package struct TransformList: Codable, Sendable {
  package let transforms: [any GradientTransform]
  private static let key = NameKey("name")

  package init(_ transforms: [any GradientTransform]) { self.transforms = transforms }

  /// - Throws: `UnknownNameError` for a transform that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    var transforms: [any GradientTransform] = []
    while !list.isAtEnd {
      let element = try list.superDecoder()
      let name = try element.container(keyedBy: NameKey.self).decode(String.self, forKey: Self.key)
      transforms.append(try GradientTransforms.catalog.part(named: name).init(from: element))
    }
    self.transforms = transforms
  }

  package func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for transform in transforms {
      let element = list.superEncoder()
      try transform.encode(to: element)
      var container = element.container(keyedBy: NameKey.self)
      try container.encode(transform.name, forKey: Self.key)
    }
  }
}
