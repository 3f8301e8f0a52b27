import ApusCore

/// The MNIST handwritten digits: 60,000 training and 10,000 test pictures, 28x28, grey, in ten classes.
///
/// Published by Y. LeCun, C. Cortes and C. J. C. Burges as four gzipped IDX files. They are looked for in the folder of
/// `DataLocator`: in its subfolder `mnist`, in itself, and where torchvision puts them; gzipped or not, with a dot for
/// a dash (`train-images.idx3-ubyte`), or each in a folder of its name, as they lie about. They are downloaded when the
/// folder is the user's cache or empty. Downloads are checked against the published sums; files found in place are
/// checked for their layout, and a differing content is noted in `ImageDataset.note` (Fashion-MNIST, for one, comes in the
/// same layout).
public enum MNIST {
  /// By its name, for the program.
  public static let entry = PublishedDataset(name: "mnist", model: "tutorial-mnist") {
    try load($0, from: $1, downloader: $2)
  }

  /// The 60,000 training pictures. See `load(_:from:downloader:)`.
  public static func train(in folder: String? = nil) throws -> ImageDataset {
    try load(.train, from: DataLocator(folder: folder))
  }

  /// The 10,000 test pictures. See `load(_:from:downloader:)`.
  public static func test(in folder: String? = nil) throws -> ImageDataset {
    try load(.test, from: DataLocator(folder: folder))
  }

  /// Finds, or else downloads, and reads one part.
  ///
  /// - Parameter downloader: How missing files are fetched; `nil` to stay off the network.
  /// - Throws: `DataError` when the files cannot be had or are damaged, `FileError` when they cannot be read.
  public static func load(
    _ part: DatasetPart, from locator: DataLocator = DataLocator(), downloader: Downloader? = Downloader()
  ) throws -> ImageDataset {
    let folder = try locate(part, in: locator, downloader)
    let files = files(of: part)
    let images = try IDX(opening: try path(of: files.images, in: folder), rank: 3)
    guard images.shape[1] == 28, images.shape[2] == 28 else {
      throw DataError(
        .malformed, at: folder, "its pictures are \(images.shape[1])x\(images.shape[2]), MNIST's are 28x28")
    }
    let labels = try IDX(opening: try path(of: files.labels, in: folder), rank: 1)
    let (pixels, classes) = (try images.elements(), try labels.elements())
    guard images.shape[0] == labels.shape[0] else {
      throw DataError(
        .malformed, at: folder,
        "\(files.images.name) holds \(images.shape[0]) pictures, \(files.labels.name) \(labels.shape[0]) labels",
        advice: "use files that belong together")
    }
    let isPublished =
      images.md5(of: pixels) == files.images.contentMD5 && labels.md5(of: classes) == files.labels.contentMD5
    return try ImageDataset(
      name: "MNIST",
      images: NDArray(bytes: pixels, shape: images.shape + [1], dtype: .uint8)!,
      labels: NDArray(classes.map(Int32.init), shape: labels.shape),
      classNames: (0...9).map(String.init), source: folder,
      note: isPublished ? nil : "the files in \(folder) have MNIST's layout, but not the published MNIST's contents")
  }

  // MARK: Files

  private struct PublishedFile {
    /// Without `.gz`.
    let name: String
    let md5: String
    /// Of the bytes before compression.
    let contentMD5: String
    let maximumByteCount: Int

    /// Where the file may be in a folder, in order: under its own name or with a dot for a dash, as some programs
    /// unpack it, gzipped or not, and in a folder of its name, as Kaggle serves it.
    var paths: [String] {
      let names = [name, name.replacing("-idx", with: ".idx")].flatMap { [$0 + ".gz", $0] }
      return names + names.flatMap { outer in names.map { FilePath.join(outer, $0) } }
    }

    var remote: RemoteFile {
      RemoteFile(
        name: name + ".gz",
        mirrors: [
          "https://ossci-datasets.s3.amazonaws.com/mnist/\(name).gz",
          "https://storage.googleapis.com/cvdf-datasets/mnist/\(name).gz",
        ], md5: md5, maximumByteCount: maximumByteCount)
    }
  }

  private static let trainImages = PublishedFile(
    name: "train-images-idx3-ubyte", md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    contentMD5: "6bbc9ace898e44ae57da46a324031adb",
    maximumByteCount: 16 << 20)
  private static let trainLabels = PublishedFile(
    name: "train-labels-idx1-ubyte", md5: "d53e105ee54ea40749a09fcbcd1e9432",
    contentMD5: "a25bea736e30d166cdddb491f175f624",
    maximumByteCount: 1 << 20)
  private static let testImages = PublishedFile(
    name: "t10k-images-idx3-ubyte", md5: "9fb629c4189551a2d022fa330f9573f3",
    contentMD5: "2646ac647ad5339dbf082846283269ea",
    maximumByteCount: 16 << 20)
  private static let testLabels = PublishedFile(
    name: "t10k-labels-idx1-ubyte", md5: "ec29112dd5afa0611ce80d1b7f02629c",
    contentMD5: "27ae3e4e09519cfbb04c329615203637",
    maximumByteCount: 1 << 20)
  private static let allFiles = [trainImages, trainLabels, testImages, testLabels]

  private static func files(of part: DatasetPart) -> (images: PublishedFile, labels: PublishedFile) {
    switch part {
    case .train: (trainImages, trainLabels)
    case .test: (testImages, testLabels)
    }
  }

  private static func find(_ file: PublishedFile, in folder: String) -> String? {
    file.paths.map { FilePath.join(folder, $0) }.first(where: FilePath.isFile)
  }

  private static func path(of file: PublishedFile, in folder: String) throws -> String {
    guard let path = find(file, in: folder) else {
      throw DataError(
        .notFound, at: folder,
        "\(file.name).gz is missing beside the other files; \(PublishedFiles.contents(of: folder))",
        advice: "put it there")
    }
    return path
  }

  private static let published = PublishedFiles(
    set: "MNIST", remotes: allFiles.map(\.remote),
    description: allFiles.map(\.name).joined(separator: ", ") + " (or with .gz, or .idx for -idx)",
    subfolder: "mnist", otherPlaces: ["MNIST/raw", "raw", "FashionMNIST/raw"])

  /// The folder with the files: the first that holds any of the four, so that the two parts never come from two places.
  private static func locate(_ part: DatasetPart, in locator: DataLocator, _ downloader: Downloader?) throws -> String {
    let files = files(of: part)
    return try published.locate(in: locator, downloader) { folder in
      let present = allFiles.filter { find($0, in: folder) != nil }
      if present.isEmpty { return nil }
      let isComplete = [files.images, files.labels].allSatisfy { find($0, in: folder) != nil }
      // An interrupted download is gone on with; a user's own incomplete collection is an error when it is read.
      if !isComplete, let downloader, try present.allSatisfy({ try isPublished($0, in: folder) }) {
        try downloader.download(allFiles.map(\.remote), into: folder, for: "MNIST")
      }
      return folder
    }
  }

  private static func isPublished(_ file: PublishedFile, in folder: String) throws -> Bool {
    let path = FilePath.join(folder, file.name + ".gz")
    return try FilePath.exists(path) && MD5.hexDigest(of: File(reading: path)) == file.md5
  }
}
