import ApusCore

/// Tables of pixels, as Kaggle serves data sets: a file for each part; see `PixelTable`.
///
/// Where the file of the test part holds no labels, as those of competitions, the last sixth of the training file is for
/// testing, and a note says so.
struct CSVLayout: DatasetLayout {
  let train: String, test: String
  /// Whether the test file may lack labels.
  var isOfCompetition = false

  var description: String { "\(train), \(test)" }

  func files(in place: String) -> [String] {
    [train, test].map { FilePath.join(place, $0) }.filter(FilePath.isFile)
  }

  func hasAll(of part: DatasetPart, in place: String) -> Bool {
    FilePath.isFile(FilePath.join(place, part == .test && !isOfCompetition ? test : train))
  }

  func read(_ part: DatasetPart, in place: String, of set: Publication) throws -> LabelledPixels {
    let pixelCount = set.imageShape.elementCount
    let testPath = FilePath.join(place, test)
    let hasTest =
      try !isOfCompetition || FilePath.isFile(testPath) && PixelTable.columnCount(path: testPath) > pixelCount
    let name = part == .test && hasTest ? test : train
    let path = FilePath.join(place, name)
    guard FilePath.isFile(path) else { throw missing(name, in: place) }
    let table = try PixelTable(path: path, pixelCount: pixelCount)
    if hasTest { return LabelledPixels(pixels: table.pixels, labels: table.labels, source: path) }
    let count = table.labels.count
    let cut = count - max(1, count / 6)
    guard cut > 0 else { throw DataError(.malformed, at: path, "one picture cannot be cut into two parts") }
    let rows = part == .train ? 0..<cut : cut..<count
    return LabelledPixels(
      pixels: Array(table.pixels[(rows.lowerBound * pixelCount)..<(rows.upperBound * pixelCount)]),
      labels: Array(table.labels[rows]), source: path,
      note: "\(path) alone has labels: its last \(count - cut) of \(count) pictures are for testing")
  }
}
