import ApusCore

/// What is known of a published data set: what it is called and holds, where it can be had, how its files lie about.
///
/// A new set is a file with one of these, and a line in `PublishedDatasets.catalog`.
struct Publication: Sendable {
  /// As users type it: `fashion-mnist`.
  let name: String
  /// As its publishers write it: `Fashion-MNIST`.
  let title: String
  /// The network that fits the pictures, a name in `Models.catalog`.
  let model: String
  /// Height, width and channels of a picture.
  let imageShape: [Int]
  let classNames: [String]
  /// The number of pictures of each part.
  let counts: [DatasetPart: Int]
  /// Sums of the published pictures and labels, as `DataIdentity` has them, where they are known.
  var sums: [DatasetPart: String] = [:]
  /// What is downloaded.
  let remotes: [RemoteFile]
  /// The subfolder into which files are downloaded; of a folder that is named it is looked into first, then the folder
  /// itself, then `folders`.
  let subfolder: String
  /// Other subfolders in which the files lie about: `MNIST/raw`.
  var folders: [String] = []
  /// In order: the first of which anything lies at a place is read.
  let layouts: [any DatasetLayout]
  /// What the first class is called in the files.
  var firstLabel = 0
  /// Whether the files hold pictures column by column.
  var isTransposed = false

  /// By its name, for the catalogue.
  var entry: PublishedDataset { PublishedDataset(name: name, model: model) { try load($0, from: $1, downloader: $2) } }

  /// More than any file of the set holds, unpacked.
  var maximumByteCount: Int { (counts.values.max() ?? 0) * (imageShape.elementCount + 64) * 2 }

  /// Finds, or else downloads, and reads one part.
  ///
  /// - Throws: `DataError` when the files cannot be had or are damaged, `FileError` when they cannot be read,
  ///   `HostMemoryError` when they do not fit.
  func load(_ part: DatasetPart, from locator: DataLocator, downloader: Downloader?) throws -> ImageDataset {
    let (layout, place) = try locate(part, in: locator, downloader)
    let stored = try layout.read(part, in: place, of: self)
    try requireKnownLabels(stored)
    let pixels = try isTransposed ? transposed(stored.pixels, of: stored.source) : stored.pixels
    func data(_ note: String?) throws -> ImageDataset {
      try ImageDataset(
        name: title,
        images: NDArray(bytes: pixels, shape: [stored.labels.count] + imageShape, dtype: .uint8)!,
        labels: NDArray(stored.labels.map { $0 - Int32(firstLabel) }, shape: [stored.labels.count]),
        classNames: classNames, source: stored.source, note: note)
    }
    let plain = try data(nil)
    let notes = [stored.note, difference(plain, part)].compactMap { $0 }
    return notes.isEmpty ? plain : try data(notes.joined(separator: "; "))
  }

  // MARK: Files

  /// The first place, in order, at which anything of the set lies, so that the two parts never come from two places.
  private func locate(
    _ part: DatasetPart, in locator: DataLocator, _ downloader: Downloader?
  ) throws -> (any DatasetLayout, String) {
    let files = PublishedFiles(
      set: title, remotes: remotes, description: layouts.map(\.description).joined(separator: "; or "),
      subfolder: subfolder, otherPlaces: folders)
    return try files.locate(in: locator, downloader) { place in
      for layout in layouts {
        let found = layout.files(in: place)
        if found.isEmpty { continue }
        // An interrupted download is gone on with; a user's own incomplete collection is an error when it is read.
        if !layout.hasAll(of: part, in: place), let downloader, try found.allSatisfy(isPublished) {
          try downloader.download(remotes, into: place, for: title)
        }
        return (layout, place)
      }
      return nil
    }
  }

  private func isPublished(_ path: String) throws -> Bool {
    let name = FilePath.split(path).name
    return try remotes.contains { try $0.name == name && $0.md5 == MD5.hexDigest(of: File(reading: path)) }
  }

  // MARK: Contents

  private func requireKnownLabels(_ stored: LabelledPixels) throws {
    // Where labels begin with 0 the data set itself says what is wrong.
    guard firstLabel != 0 else { return }
    let labels = firstLabel..<(firstLabel + classNames.count)
    if let index = stored.labels.firstIndex(where: { !labels.contains(Int($0)) }) {
      throw DataError(
        .malformed, at: stored.source,
        "label \(stored.labels[index]) at index \(index); those of \(title) run from \(labels.lowerBound) to \(labels.last!)"
      )
    }
  }

  private func transposed(_ pixels: [UInt8], of source: String) throws -> [UInt8] {
    let (height, width, channels) = (imageShape[0], imageShape[1], imageShape[2])
    try HostMemory.require(pixels.count, for: "the pictures of \(source)")
    return [UInt8](unsafeUninitializedCapacity: pixels.count) { out, initialized in
      pixels.withUnsafeBufferPointer { pixels in
        for start in stride(from: 0, to: pixels.count, by: imageShape.elementCount) {
          for y in 0..<height {
            for x in 0..<width {
              for channel in 0..<channels {
                out[start + (y * width + x) * channels + channel] =
                  pixels[start + (x * height + y) * channels + channel]
              }
            }
          }
        }
      }
      initialized = pixels.count
    }
  }

  /// What to say where the pictures are not those that were published, as far as that can be told.
  private func difference(_ data: ImageDataset, _ part: DatasetPart) -> String? {
    let known = PublishedDatasets.publications.filter { $0.imageShape == imageShape }
    // A sum takes a while for the large sets; sizes and counts tell which of them can be right.
    if known.contains(where: { $0.counts[part] == data.count && $0.sums[part] != nil }) {
      let sum = data.identity.md5
      if sums[part] == sum { return nil }
      if let other = known.first(where: { $0.sums[part] == sum }) {
        return "the files in \(data.source) are \(other.title)'s, not \(title)'s: `\(other.name)` names them"
      }
    }
    if sums[part] != nil {
      return "the files in \(data.source) have \(title)'s layout, but not the published \(title)'s contents"
    }
    guard let count = counts[part], count != data.count else { return nil }
    return "\(data.source) holds \(data.count) pictures of \(title)'s \(count) for \(part.rawValue)"
  }
}
