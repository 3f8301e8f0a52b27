public import ApusCore

/// A data set that comes by name, in two parts.
///
/// ```swift
/// let letters = try EMNIST.letters.train()
/// ```
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

  /// The training pictures, which are downloaded where they are not found.
  ///
  /// - Parameter folder: where they are looked for; see `DataLocator`.
  public func train(in folder: String? = nil) throws -> ImageDataset {
    try load(.train, DataLocator(folder: folder), Downloader())
  }

  /// The test pictures, which are downloaded where they are not found.
  ///
  /// - Parameter folder: where they are looked for; see `DataLocator`.
  public func test(in folder: String? = nil) throws -> ImageDataset {
    try load(.test, DataLocator(folder: folder), Downloader())
  }
}

/// A type that stands for one published data set: `MNIST.train()`, `CIFAR10.test(in: "data")`.
public protocol PublishedImages {
  /// The set, by its name.
  static var entry: PublishedDataset { get }
}

extension PublishedImages {
  /// The training pictures. See `load(_:from:downloader:)`.
  public static func train(in folder: String? = nil) throws -> ImageDataset { try entry.train(in: folder) }

  /// The test pictures. See `load(_:from:downloader:)`.
  public static func test(in folder: String? = nil) throws -> ImageDataset { try entry.test(in: folder) }

  /// Finds, or else downloads, and reads one part.
  ///
  /// - Parameter downloader: How missing files are fetched; `nil` to stay off the network.
  /// - Throws: `DataError` when the files cannot be had or are damaged, `FileError` when they cannot be read.
  public static func load(
    _ part: DatasetPart, from locator: DataLocator = DataLocator(), downloader: Downloader? = Downloader()
  ) throws -> ImageDataset {
    try entry.load(part, locator, downloader)
  }
}

/// The data sets that have a name.
public enum PublishedDatasets {
  public static let catalog = Catalog("data set", publications.map(\.entry) + [Digits.entry]) { $0.name }

  static let publications: [Publication] =
    [MNIST.publication, FashionMNIST.publication, KMNIST.publication] + EMNIST.publications
    + [CIFAR10.publication, CIFAR100.publication, CIFAR100.coarsePublication]
}

extension Catalog<PublishedDataset> {
  /// Adds a data set of one's own under its name.
  public func register(_ data: PublishedDataset) { register(data, as: data.name) }
}
