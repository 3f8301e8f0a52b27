import ApusCore

/// A metric as files hold it: an object with its name and what it encodes to.
package struct NamedMetric: Codable, Sendable {
  package let metric: any Metric
  private static let nameKey = "name"

  package init(_ metric: any Metric) { self.metric = metric }

  /// - Throws: `UnknownNameError` for a metric that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    if let label = try? decoder.singleValueContainer().decode(String.self) {
      metric = try Self.metric(labelled: label)
    } else {
      let known = try Metrics.catalog.part(named: decoder.partName(Self.nameKey))
      metric = try type(of: known).init(from: decoder)
    }
  }

  /// Older runs hold labels alone: `top_3_accuracy`.
  private static func metric(labelled label: String) throws(UnknownNameError) -> any Metric {
    if label.hasPrefix("top_"), label.hasSuffix("_accuracy"), let k = Int(label.dropFirst(4).dropLast(9)), k > 0 {
      return TopKAccuracy(k)
    }
    return try Metrics.catalog.part(named: label)
  }

  package func encode(to encoder: any Encoder) throws { try metric.encode(to: encoder, nameKey: Self.nameKey) }
}
