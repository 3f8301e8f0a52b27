import ApusCore

/// Transforms in their order, as files hold them: objects with a name and what each encodes to.
package struct TransformList: Codable, Sendable {
  package let transforms: [any GradientTransform]
  private static let nameKey = "name"

  package init(_ transforms: [any GradientTransform]) { self.transforms = transforms }

  /// - Throws: `UnknownNameError` for a transform that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    var transforms: [any GradientTransform] = []
    while !list.isAtEnd {
      let element = try list.superDecoder()
      let part = try GradientTransforms.catalog.part(named: element.partName(Self.nameKey))
      transforms.append(try part.init(from: element))
    }
    self.transforms = transforms
  }

  package func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for transform in transforms { try transform.encode(to: list.superEncoder(), nameKey: Self.nameKey) }
  }
}
