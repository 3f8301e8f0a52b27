import ApusCore

/// Batches of 32x32 pictures in three colour planes, as CIFAR-10 and CIFAR-100 are published: binary records or Python's
/// pickles, in a folder or in the published archive, which is read as it is.
struct CIFARLayout: DatasetLayout {
  /// How a batch holds its pictures.
  enum Encoding: Sendable {
    /// Records of some label bytes, of which one is taken, and the planes.
    case records(labelByteCount: Int, label: Int)
    /// A pickled dictionary with the planes under `data`, and labels under one of these keys.
    case pickle(labels: [String])
  }

  /// The folder that the archive unpacks to.
  let folder: String
  let archive: String
  let batches: [DatasetPart: [String]]
  let encoding: Encoding
  /// Pictures of one batch, as published.
  let batchCount: Int

  private var names: [String] { DatasetPart.allCases.flatMap { batches[$0]! } }

  var description: String { "\(archive) or \(names.joined(separator: ", "))" }

  /// The folder with the batches, or else the archive.
  private func found(in place: String) -> (folder: String?, archive: String?) {
    for folder in [FilePath.join(place, folder), place]
    where names.contains(where: { FilePath.isFile(FilePath.join(folder, $0)) }) { return (folder, nil) }
    let path = FilePath.join(place, archive)
    return (nil, FilePath.isFile(path) ? path : nil)
  }

  func files(in place: String) -> [String] {
    let found = found(in: place)
    guard let folder = found.folder else { return found.archive.map { [$0] } ?? [] }
    return names.map { FilePath.join(folder, $0) }.filter(FilePath.isFile)
  }

  func hasAll(of part: DatasetPart, in place: String) -> Bool {
    guard let folder = found(in: place).folder else { return true }
    return batches[part]!.allSatisfy { FilePath.isFile(FilePath.join(folder, $0)) }
  }

  func read(_ part: DatasetPart, in place: String, of set: Publication) throws -> LabelledPixels {
    let found = found(in: place)
    let source = found.folder ?? found.archive ?? place
    let contents =
      try found.folder.map { try read(batches[part]!, fromFolder: $0) }
      ?? read(batches[part]!, fromArchive: FilePath.join(place, archive))
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    let total = contents.reduce(0) { $0 + $1.bytes.count }
    try HostMemory.require(total, for: "the pictures of \(source)")
    pixels.reserveCapacity(total)
    for (name, bytes) in contents {
      let batch = try CIFARBatch(bytes, encoding, name: name)
      labels += batch.labels
      batch.appendInterleaved(to: &pixels)
    }
    return LabelledPixels(pixels: pixels, labels: labels, source: source)
  }

  private func read(_ names: [String], fromFolder folder: String) throws -> [(name: String, bytes: [UInt8])] {
    try names.map { name in
      let path = FilePath.join(folder, name)
      guard FilePath.isFile(path) else { throw missing(name, in: folder) }
      guard let bytes = try File.contents(of: path, maximumByteCount: maximumByteCount), isValid(byteCount: bytes.count)
      else { throw wrongSize(of: path) }
      return (path, bytes)
    }
  }

  private func read(_ names: [String], fromArchive path: String) throws -> [(name: String, bytes: [UInt8])] {
    var contents: [String: [UInt8]] = [:]
    // Of all members unpacked: twice the published ones.
    let total = 2 * maximumByteCount * self.names.count
    var tar = try TarReader(path: path, maximumByteCount: total)
    // The members wanted are read, all others passed over; the walk ends with the last one wanted.
    while contents.count < names.count, let entry = try tar.next() {
      guard let name = names.first(where: { entry.name == "\(folder)/\($0)" }) else { continue }
      guard entry.isRegularFile, contents[name] == nil else {
        throw DataError(.malformed, at: path, "its member \(entry.name) is not a plain file, or is there twice")
      }
      guard isValid(byteCount: entry.byteCount) else { throw wrongSize(of: "\(path), member \(name)") }
      contents[name] = try tar.readContent()
    }
    return try names.map { name in
      guard let bytes = contents[name] else { throw DataError(.malformed, at: path, "it does not hold \(name)") }
      return ("\(path), member \(name)", bytes)
    }
  }

  // MARK: Sizes

  /// A pickle holds a name and labels beside the planes.
  private static let pickledExtraByteCount = 128

  private var maximumByteCount: Int {
    switch encoding {
    case .records(let labelByteCount, _): batchCount * CIFARBatch.recordByteCount(labelByteCount)
    case .pickle: batchCount * (CIFARBatch.recordByteCount(0) + Self.pickledExtraByteCount) + 4096
    }
  }

  private func isValid(byteCount: Int) -> Bool {
    guard byteCount > 0 && byteCount <= maximumByteCount else { return false }
    return switch encoding {
    case .records(let labelByteCount, _): byteCount % CIFARBatch.recordByteCount(labelByteCount) == 0
    case .pickle: true
    }
  }

  private func wrongSize(of place: String) -> DataError {
    let what =
      switch encoding {
      case .records(let labelByteCount, _):
        "its size is not that of 1 to \(batchCount) records of \(CIFARBatch.recordByteCount(labelByteCount)) bytes"
      case .pickle: "its size is not that of at most \(batchCount) pictures"
      }
    return DataError(.malformed, at: place, what, advice: "remove it and let it be downloaded again")
  }
}

/// The pictures of one batch.
private struct CIFARBatch {
  static let planeByteCount = 32 * 32

  static func recordByteCount(_ labelByteCount: Int) -> Int { labelByteCount + 3 * planeByteCount }

  let labels: [Int32]
  /// Where each picture's three planes begin in `bytes`.
  private let starts: [Int]
  private let bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8], _ encoding: CIFARLayout.Encoding, name: String) throws {
    switch encoding {
    case .records(let labelByteCount, let label):
      let records = stride(from: 0, to: bytes.count, by: Self.recordByteCount(labelByteCount))
      labels = records.map { Int32(bytes[$0 + label]) }
      starts = records.map { $0 + labelByteCount }
      self.bytes = bytes[...]
    case .pickle(let keys):
      func damaged(_ reason: String) -> DataError {
        DataError(.malformed, at: name, reason, advice: "use the file as it was published")
      }
      let pickle = try Pickle(bytes, name: name)
      let data = try pickle.array("data")
      guard let numbers = try keys.compactMap({ try pickle.integers($0) }).first else {
        throw damaged("it has no entry \(keys.map { "'\($0)'" }.joined(separator: " or "))")
      }
      let planes = 3 * Self.planeByteCount
      guard data.shape == [numbers.count, planes] else {
        throw damaged("its pictures are \(data.shape.shapeDescription), not \(numbers.count)x\(planes)")
      }
      labels = numbers.map { Int32(clamping: $0) }
      starts = numbers.indices.map { data.bytes.startIndex + $0 * planes }
      self.bytes = data.bytes
    }
  }

  func appendInterleaved(to pixels: inout [UInt8]) {
    bytes.withUnsafeBufferPointer { bytes in
      for start in starts.map({ $0 - self.bytes.startIndex }) {
        for position in start..<(start + Self.planeByteCount) {
          for plane in 0..<3 { pixels.append(bytes[position + plane * Self.planeByteCount]) }
        }
      }
    }
  }
}
