import ApusCore

/// Metrics as files hold them: objects with a name and what each encodes to.
package struct MetricList: Codable, Sendable {
  package let metrics: [any Metric]
  private static let nameKey = "name"

  package init(_ metrics: [any Metric]) { self.metrics = metrics }

  /// - Throws: `UnknownNameError` for a metric that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    var metrics: [any Metric] = []
    while !list.isAtEnd {
      if let label = try? list.decode(String.self) {
        metrics.append(try Self.metric(labelled: label))
        continue
      }
      let element = try list.superDecoder()
      let known = try Metrics.catalog.part(named: element.partName(Self.nameKey))
      metrics.append(try type(of: known).init(from: element))
    }
    self.metrics = metrics
  }

  /// Older runs hold labels alone: `top_3_accuracy`.
  private static func metric(labelled label: String) throws(UnknownNameError) -> any Metric {
    if label.hasPrefix("top_"), label.hasSuffix("_accuracy"), let k = Int(label.dropFirst(4).dropLast(9)), k > 0 {
      return TopKAccuracy(k)
    }
    return try Metrics.catalog.part(named: label)
  }

  package func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for metric in metrics { try metric.encode(to: list.superEncoder(), nameKey: Self.nameKey) }
  }
}
