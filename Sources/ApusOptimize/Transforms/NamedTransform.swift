import ApusCore

/// A transform as files hold it: an object with its name and what it encodes to.
package struct NamedTransform: Codable, Sendable {
  package let transform: any GradientTransform
  private static let nameKey = "name"

  package init(_ transform: any GradientTransform) { self.transform = transform }

  /// - Throws: `UnknownNameError` for a transform that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    transform = try GradientTransforms.catalog.part(named: decoder.partName(Self.nameKey)).init(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws { try transform.encode(to: encoder, nameKey: Self.nameKey) }
}
