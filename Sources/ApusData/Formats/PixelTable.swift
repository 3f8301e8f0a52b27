import ApusCore

/// A CSV file of pictures: a row a picture, its label and its pixels from 0 to 255, with or without a header.
///
/// ```
/// label,pixel0,pixel1,...      the label is the first column, or the one that the header calls `label`
/// 7,0,0,...
/// ```
/// The file is read in pieces, gzipped or not: its text never lies in memory.
struct PixelTable {
  let labels: [Int32]
  /// One picture after another.
  let pixels: [UInt8]

  /// - Parameter pixelCount: those of a picture.
  /// - Throws: `DataError` that names the line of what cannot be right, `FileError`, `HostMemoryError`.
  init(path: String, pixelCount: Int) throws {
    var reader = try RowReader(path: path)
    var labels: [Int32] = []
    var pixels: [UInt8] = []
    var room = 0
    func failure(_ reason: String) -> DataError {
      DataError(
        .malformed, at: path, "line \(reader.line): \(reason)",
        advice: "each line must have a label and \(pixelCount) pixels from 0 to 255")
    }
    var labelColumn = 0
    var isFirst = true
    while let row = try reader.next() {
      if isFirst {
        isFirst = false
        if case .header(let names) = row {
          labelColumn = names.firstIndex { ["label", "class"].contains($0.lowercased()) } ?? 0
          continue
        }
      }
      guard case .numbers(let values) = row else { throw failure("it is not a row of whole numbers") }
      guard values.count == pixelCount + 1 else { throw failure("it has \(values.count) columns") }
      if pixels.count + pixelCount > room {
        room = max(2 * room, 1024 * pixelCount)
        try HostMemory.require(room, for: "the pictures of \(path)")
        pixels.reserveCapacity(room)
      }
      for (column, value) in values.enumerated() where column != labelColumn {
        guard let pixel = UInt8(exactly: value) else { throw failure("\(value) in column \(column + 1) is no pixel") }
        pixels.append(pixel)
      }
      guard let label = Int32(exactly: values[labelColumn]) else { throw failure("\(values[labelColumn]) is no label") }
      labels.append(label)
    }
    if labels.isEmpty { throw DataError(.malformed, at: path, "it holds no pictures") }
    (self.labels, self.pixels) = (labels, pixels)
  }

  /// The number of columns of the first line.
  static func columnCount(path: String) throws -> Int {
    var reader = try RowReader(path: path)
    switch try reader.next() {
    case .numbers(let values): return values.count
    case .header(let names): return names.count
    case nil: return 0
    }
  }
}

/// The rows of a CSV file of whole numbers.
private struct RowReader {
  enum Row {
    case numbers([Int])
    /// A row with anything else in it.
    case header([String])
  }

  private let reader: ByteReader
  private var buffer = [UInt8](repeating: 0, count: 1 << 20)
  private var rest = 0..<0
  /// Of the row that came last.
  private(set) var line = 0

  /// Of a row: more than any picture of a published set takes.
  private static let maximumLineByteCount = 1 << 16

  init(path: String) throws { reader = try ByteReader(path: path) }

  /// The next row; `nil` at the end. Empty lines are passed over.
  mutating func next() throws -> Row? {
    while var text = try nextLine() {
      line += 1
      if text.last == UInt8(ascii: "\r") { text.removeLast() }
      if line == 1, text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
      if !text.isEmpty { return Self.parse(text) }
    }
    return nil
  }

  private static func parse(_ text: ArraySlice<UInt8>) -> Row {
    var values: [Int] = []
    var (value, digits) = (0, 0)
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9") where digits < 9:
        value = 10 * value + Int(byte - UInt8(ascii: "0"))
        digits += 1
      case UInt8(ascii: ",") where digits > 0:
        values.append(value)
        (value, digits) = (0, 0)
      default: return .header(String(decoding: text, as: UTF8.self).split(separator: ",").map(String.init))
      }
    }
    if digits == 0 { return .header(String(decoding: text, as: UTF8.self).split(separator: ",").map(String.init)) }
    return .numbers(values + [value])
  }

  private mutating func nextLine() throws -> ArraySlice<UInt8>? {
    var line: [UInt8] = []
    while true {
      if rest.isEmpty {
        let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
        if count == 0 { return line.isEmpty ? nil : line[...] }
        rest = 0..<count
      }
      let end = buffer[rest].firstIndex(of: UInt8(ascii: "\n"))
      line += buffer[rest.lowerBound..<(end ?? rest.upperBound)]
      rest = (end.map { $0 + 1 } ?? rest.upperBound)..<rest.upperBound
      guard line.count <= Self.maximumLineByteCount else {
        throw DataError(.malformed, at: reader.path, "line \(self.line + 1) is too long for a picture of a table")
      }
      if end != nil { return line[...] }
    }
  }
}
