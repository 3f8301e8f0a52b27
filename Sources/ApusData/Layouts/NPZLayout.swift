import ApusCore

/// Arrays in numpy's NPZ files, which are zip archives of NPY files: Keras's `mnist.npz`.
struct NPZLayout: DatasetLayout {
  /// An array: its file, and its name in that file.
  typealias Place = (file: String, array: String)

  let images: [DatasetPart: Place]
  let labels: [DatasetPart: Place]

  private func paths(_ part: DatasetPart, in place: String) -> [String] {
    [images[part]!, labels[part]!].map { FilePath.join(place, $0.file) }
  }

  private var fileNames: [String] {
    var names: [String] = []
    for place in DatasetPart.allCases.flatMap({ [images[$0]!, labels[$0]!] }) where !names.contains(place.file) {
      names.append(place.file)
    }
    return names
  }

  var description: String { fileNames.joined(separator: ", ") }

  func files(in place: String) -> [String] {
    fileNames.map { FilePath.join(place, $0) }.filter(FilePath.isFile)
  }

  func hasAll(of part: DatasetPart, in place: String) -> Bool { paths(part, in: place).allSatisfy(FilePath.isFile) }

  func read(_ part: DatasetPart, in place: String, of set: Publication) throws -> LabelledPixels {
    func array(_ array: Place) throws -> NPY {
      let path = FilePath.join(place, array.file)
      guard FilePath.isFile(path) else { throw missing(array.file, in: place) }
      let bytes = try ZipReader(path: path).content(of: array.array + ".npy", maximumByteCount: set.maximumByteCount)
      return try NPY(bytes, name: "\(path), array \(array.array)")
    }
    let (pictures, classes) = (try array(images[part]!), try array(labels[part]!))
    let source = FilePath.join(place, images[part]!.file)
    let size = Array(pictures.shape.dropFirst())
    guard size == set.imageShape || size + [1] == set.imageShape else {
      throw DataError(
        .malformed, at: source,
        "its pictures are \(size.shapeDescription), \(set.title)'s are \(set.imageShape.shapeDescription)")
    }
    guard classes.shape.count == 1 || classes.shape.dropFirst() == [1] else {
      throw DataError(.malformed, at: source, "its labels are \(classes.shape.shapeDescription), not one a picture")
    }
    let (pixels, numbers) = (try pictures.pixels(), try classes.integers())
    try requireSameCount((images[part]!.array, pictures.shape[0]), (labels[part]!.array, numbers.count), at: source)
    return LabelledPixels(pixels: pixels, labels: numbers, source: source)
  }
}
