import ApusCore

/// A loss as files hold it: an object with its name as `kind` and what it encodes to.
package struct NamedLoss: Codable, Sendable {
  package let loss: any Loss
  private static let nameKey = "kind"

  package init(_ loss: any Loss) { self.loss = loss }

  /// - Throws: `UnknownNameError` for a loss that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    let known = try Losses.catalog.part(named: decoder.partName(Self.nameKey))
    loss = try type(of: known).init(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws { try loss.encode(to: encoder, nameKey: Self.nameKey) }
}
