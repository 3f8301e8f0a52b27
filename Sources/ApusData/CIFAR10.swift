import ApusCore

/// The CIFAR-10 pictures: 50,000 for training and 10,000 for testing, 32x32, RGB, in ten classes.
///
/// Published by A. Krizhevsky (https://www.cs.toronto.edu/~kriz/cifar.html) in a binary layout: records of a label byte
/// and three planes of 32x32 bytes, red, green, blue. The six files are looked for in the folder of `DataLocator` and
/// its subfolders `cifar10` and `cifar-10-batches-bin`; the published archive `cifar-10-binary.tar.gz` is read as it
/// is, without unpacking, and downloaded when there is neither and the folder is the user's cache or empty.
public enum CIFAR10 {
  /// By its name, for the program.
  public static let entry = PublishedDataset(name: "cifar10", model: "tutorial-cifar") {
    try load($0, from: $1, downloader: $2)
  }

  public static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// The 50,000 training pictures. See `load(_:from:downloader:)`.
  public static func train(in folder: String? = nil) throws -> ImageDataset {
    try load(.train, from: DataLocator(folder: folder))
  }

  /// The 10,000 test pictures. See `load(_:from:downloader:)`.
  public static func test(in folder: String? = nil) throws -> ImageDataset {
    try load(.test, from: DataLocator(folder: folder))
  }

  /// Finds, or else downloads, and reads one part.
  ///
  /// - Parameter downloader: How a missing archive is fetched; `nil` to stay off the network.
  /// - Throws: `DataError` when the files cannot be had or are damaged, `FileError` when they cannot be read.
  public static func load(
    _ part: DatasetPart, from locator: DataLocator = DataLocator(), downloader: Downloader? = Downloader()
  ) throws -> ImageDataset {
    switch try locate(in: locator, downloader) {
    case .folder(let folder): try load(part, fromFolder: folder)
    case .archive(let path): try load(part, fromArchive: path)
    }
  }

  // MARK: Places

  private enum Place {
    case folder(String), archive(String)
  }

  private static let folderName = "cifar-10-batches-bin"

  private static let archive = RemoteFile(
    name: "cifar-10-binary.tar.gz", mirrors: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    md5: "c32a1d4ab5d03f1284b67883e8d87530", maximumByteCount: 200 << 20)

  /// Of the archive unpacked: twice the published one.
  private static let maximumArchiveByteCount = 12 * CIFARRecords.maximumByteCount

  private static func fileNames(of part: DatasetPart) -> [String] {
    switch part {
    case .train: (1...5).map { "data_batch_\($0).bin" }
    case .test: ["test_batch.bin"]
    }
  }

  private static let published = PublishedFiles(
    set: "CIFAR-10", remotes: [archive],
    description: "\(archive.name) or data_batch_1.bin to data_batch_5.bin and test_batch.bin (not the Python version)",
    subfolder: "cifar10", otherPlaces: [folderName])

  private static func locate(in locator: DataLocator, _ downloader: Downloader?) throws -> Place {
    let allNames = DatasetPart.allCases.flatMap(fileNames(of:))
    return try published.locate(in: locator, downloader) { folder in
      // Unpacked files come before the archive that they were unpacked from.
      for place in [FilePath.join(folder, folderName), folder] {
        if allNames.contains(where: { FilePath.isFile(FilePath.join(place, $0)) }) { return .folder(place) }
      }
      let path = FilePath.join(folder, archive.name)
      return FilePath.isFile(path) ? .archive(path) : nil
    }
  }

  // MARK: Reading

  private static func load(_ part: DatasetPart, fromFolder folder: String) throws -> ImageDataset {
    let batches = try fileNames(of: part).map { name in
      let path = FilePath.join(folder, name)
      guard FilePath.isFile(path) else {
        throw DataError(
          .notFound, at: folder,
          "\(name) is missing beside the other files; \(PublishedFiles.contents(of: folder))", advice: "put it there")
      }
      let bytes = try File.contents(of: path, maximumByteCount: CIFARRecords.maximumByteCount)
      guard let bytes, CIFARRecords.isValid(byteCount: bytes.count) else { throw CIFARRecords.wrongSize(of: path) }
      return bytes
    }
    return try dataset(part, batches, source: folder)
  }

  private static func load(_ part: DatasetPart, fromArchive path: String) throws -> ImageDataset {
    let names = fileNames(of: part)
    var batches: [String: [UInt8]] = [:]
    var archive = try TarReader(path: path, maximumByteCount: maximumArchiveByteCount)
    // The members wanted are read, all others passed over; the walk ends with the last one wanted.
    while batches.count < names.count, let entry = try archive.next() {
      guard let name = names.first(where: { entry.name == "\(folderName)/\($0)" }) else { continue }
      guard entry.isRegularFile, batches[name] == nil else {
        throw DataError(.malformed, at: path, "its member \(entry.name) is not a plain file, or is there twice")
      }
      guard CIFARRecords.isValid(byteCount: entry.byteCount) else {
        throw CIFARRecords.wrongSize(of: "\(path), member \(name)")
      }
      batches[name] = try archive.readContent()
    }
    let ordered = try names.map { name in
      guard let batch = batches[name] else { throw DataError(.malformed, at: path, "it does not hold \(name)") }
      return batch
    }
    return try dataset(part, ordered, source: path)
  }

  private static func dataset(_ part: DatasetPart, _ batches: [[UInt8]], source: String) throws -> ImageDataset {
    let records = CIFARRecords(batches)
    let publishedCount = part == .train ? 50_000 : 10_000
    let note =
      records.count == publishedCount
      ? nil : "\(source) holds \(records.count) pictures of CIFAR-10's \(publishedCount) for \(part.rawValue)"
    return try ImageDataset(
      name: "CIFAR-10",
      images: NDArray(
        bytes: records.pixels, shape: [records.count, CIFARRecords.side, CIFARRecords.side, 3], dtype: .uint8)!,
      labels: NDArray(records.labels, shape: [records.count]), classNames: classNames, source: source, note: note)
  }
}

/// CIFAR-10's binary records, with the colour planes interleaved.
struct CIFARRecords {
  static let side = 32
  private static let planeByteCount = side * side
  private static let recordByteCount = 1 + 3 * planeByteCount

  let labels: [Int32]
  let pixels: [UInt8]

  var count: Int { labels.count }

  /// The size of a published file.
  static let maximumByteCount = 10_000 * recordByteCount

  static func isValid(byteCount: Int) -> Bool {
    byteCount > 0 && byteCount % recordByteCount == 0 && byteCount <= maximumByteCount
  }

  static func wrongSize(of place: String) -> DataError {
    DataError(
      .malformed, at: place, "its size is not that of 1 to 10000 records of \(recordByteCount) bytes",
      advice: "remove it and let it be downloaded again")
  }

  init(_ batches: [[UInt8]]) {
    let total = batches.reduce(0) { $0 + $1.count / Self.recordByteCount }
    var labels: [Int32] = []
    labels.reserveCapacity(total)
    pixels = [UInt8](unsafeUninitializedCapacity: total * 3 * Self.planeByteCount) { out, initialized in
      var pixel = 0
      for batch in batches {
        batch.withUnsafeBufferPointer { bytes in
          for start in stride(from: 0, to: bytes.count, by: Self.recordByteCount) {
            labels.append(Int32(bytes[start]))
            for position in (start + 1)..<(start + 1 + Self.planeByteCount) {
              out[pixel] = bytes[position]
              out[pixel + 1] = bytes[position + Self.planeByteCount]
              out[pixel + 2] = bytes[position + 2 * Self.planeByteCount]
              pixel += 3
            }
          }
        }
      }
      initialized = pixel
    }
    self.labels = labels
  }
}
