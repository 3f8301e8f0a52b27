public import ApusCore

/// A data set that comes by name, in two parts.
///
/// One of one's own gets a name by `PublishedDatasets.catalog.register(PublishedDataset(name: "letters", ...))`.
public struct PublishedDataset: Sendable {
  /// As users type it: `mnist`.
  public let name: String
  /// The network that fits the pictures, a name in `Models.catalog`.
  public let model: String
  /// Whether there are files to be found or downloaded; else the program draws the pictures.
  public let hasFiles: Bool
  /// Reads one part.
  public let load: @Sendable (DatasetPart, DataLocator, Downloader?) throws -> ImageDataset

  public init(
    name: String, model: String, hasFiles: Bool = true,
    load: @escaping @Sendable (DatasetPart, DataLocator, Downloader?) throws -> ImageDataset
  ) { (self.name, self.model, self.hasFiles, self.load) = (name, model, hasFiles, load) }
}

/// The data sets that have a name.
public enum PublishedDatasets {
  public static let catalog = Catalog("data set", [MNIST.entry, CIFAR10.entry, Digits.entry]) { $0.name }
}

extension Catalog<PublishedDataset> {
  /// Adds a data set of one's own under its name.
  public func register(_ data: PublishedDataset) { register(data, as: data.name) }
}
