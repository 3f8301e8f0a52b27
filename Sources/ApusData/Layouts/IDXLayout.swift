import ApusCore

/// IDX files, of pictures and of labels for each part, as MNIST and its kin are published.
///
/// Gzipped or not, with a dot for the dash before `idx` (as some programs unpack them), or each in a folder of its own
/// name (as Kaggle serves them); or in a zip archive, which is read as it is.
struct IDXLayout: DatasetLayout {
  /// Without `.gz`: `train-images-idx3-ubyte`.
  let images: [DatasetPart: String]
  let labels: [DatasetPart: String]
  /// An archive that holds them gzipped, and the folder in it.
  var archive: (name: String, folder: String)?

  var description: String {
    DatasetPart.allCases.map { "\(images[$0]!), \(labels[$0]!)" }.joined(separator: ", ")
      + " (or with .gz, or .idx for -idx)" + (archive.map { " or \($0.name)" } ?? "")
  }

  func files(in place: String) -> [String] {
    let found = DatasetPart.allCases.flatMap { [images[$0]!, labels[$0]!] }.compactMap { Self.find($0, in: place) }
    return found.isEmpty ? [archivePath(in: place)].compactMap { $0 } : found
  }

  func hasAll(of part: DatasetPart, in place: String) -> Bool {
    let names = [images[part]!, labels[part]!]
    return names.allSatisfy { Self.find($0, in: place) != nil } || files(in: place) == [archivePath(in: place)]
  }

  func read(_ part: DatasetPart, in place: String, of set: Publication) throws -> LabelledPixels {
    // Unpacked files come before the archive that they were unpacked from.
    let packed = archivePath(in: place).flatMap { files(in: place) == [$0] ? $0 : nil }
    let zip = try packed.map(ZipReader.init(path:))
    func open(_ name: String, rank: Int) throws -> IDX {
      if let zip, let archive {
        let member = FilePath.join(archive.folder, name + ".gz")
        let bytes = try zip.content(of: member, maximumByteCount: set.maximumByteCount)
        return try IDX(ByteReader(bytes: bytes, name: "\(zip.path), member \(member)"), rank: rank)
      }
      guard let path = Self.find(name, in: place) else { throw missing(name + ".gz", in: place) }
      return try IDX(opening: path, rank: rank)
    }
    let pictures = try open(images[part]!, rank: 3)
    let size = Array(pictures.shape.dropFirst())
    guard size + [1] == set.imageShape else {
      throw DataError(
        .malformed, at: place,
        "its pictures are \(size.shapeDescription), \(set.title)'s are \(Array(set.imageShape.prefix(2)).shapeDescription)"
      )
    }
    let classes = try open(labels[part]!, rank: 1)
    let (pixels, numbers) = (try pictures.elements(), try classes.elements())
    try requireSameCount((images[part]!, pictures.shape[0]), (labels[part]!, classes.shape[0]), at: place)
    return LabelledPixels(pixels: pixels, labels: numbers.map(Int32.init), source: packed ?? place)
  }

  private func archivePath(in place: String) -> String? {
    archive.map { FilePath.join(place, $0.name) }.flatMap { FilePath.isFile($0) ? $0 : nil }
  }

  /// Where the file is in a folder: under its own name or with a dot for the dash, gzipped or not, and in a folder of its
  /// name.
  private static func find(_ name: String, in folder: String) -> String? {
    let names = [name, name.replacing("-idx", with: ".idx")].flatMap { [$0 + ".gz", $0] }
    let paths = names + names.flatMap { outer in names.map { FilePath.join(outer, $0) } }
    return paths.map { FilePath.join(folder, $0) }.first(where: FilePath.isFile)
  }
}

extension IDXLayout {
  /// MNIST's names, which its kin share.
  static let mnist = IDXLayout(
    images: [.train: "train-images-idx3-ubyte", .test: "t10k-images-idx3-ubyte"],
    labels: [.train: "train-labels-idx1-ubyte", .test: "t10k-labels-idx1-ubyte"])
}
