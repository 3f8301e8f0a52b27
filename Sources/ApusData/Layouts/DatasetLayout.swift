import ApusCore

/// A way in which the files of a published data set lie on a disk.
///
/// A new one is a file with a struct, and a line in the `layouts` of the sets that lie about so.
protocol DatasetLayout: Sendable {
  /// What is looked for, as messages say it: `mnist.npz`.
  var description: String { get }
  /// Those of its files, for both parts, that lie at a place; none where it is not this layout.
  func files(in place: String) -> [String]
  /// Whether all that `part` takes is there.
  func hasAll(of part: DatasetPart, in place: String) -> Bool
  /// Reads one part.
  ///
  /// - Throws: `DataError` for what is missing or damaged; `FileError`, `HostMemoryError`.
  func read(_ part: DatasetPart, in place: String, of set: Publication) throws -> LabelledPixels
}

/// Pictures and labels as files hold them.
struct LabelledPixels {
  /// One picture after another: rows from the top unless the publication says otherwise, channels interleaved.
  var pixels: [UInt8]
  /// As they are stored, not yet checked.
  var labels: [Int32]
  /// The folder or file that they are from.
  var source: String
  /// What the user should know about it.
  var note: String?
}

extension DatasetLayout {
  /// - Throws: `DataError` unless there is a label for each picture.
  func requireSameCount(_ pictures: (name: String, count: Int), _ labels: (name: String, count: Int), at place: String)
    throws
  {
    guard pictures.count == labels.count else {
      throw DataError(
        .malformed, at: place,
        "\(pictures.name) holds \(pictures.count) pictures, \(labels.name) \(labels.count) labels",
        advice: "use files that belong together")
    }
  }

  func missing(_ name: String, in place: String) -> DataError {
    DataError(
      .notFound, at: place, "\(name) is missing beside the other files; \(PublishedFiles.contents(of: place))",
      advice: "put it there")
  }
}
