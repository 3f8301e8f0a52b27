import ApusCore

/// A file in the IDX format of MNIST: two zero bytes, the element type, the rank, the sizes (32 bits, big endian), the
/// elements. The header is read first, so that what cannot be right is refused before it is unpacked.
struct IDX {
  let shape: [Int]
  private let reader: ByteReader

  /// Opens a file of unsigned bytes with `rank` axes, gzipped or not.
  init(opening path: String, rank: Int) throws { try self.init(ByteReader(path: path), rank: rank) }

  init(_ reader: ByteReader, rank: Int) throws {
    self.reader = reader
    let header = try reader.readExactly(4 + 4 * rank, of: "its header")
    guard header[0] == 0, header[1] == 0, header[2] == 0x08, header[3] == UInt8(rank) else {
      let found = header[..<4].map { String($0, radix: 16) }.joined(separator: " ")
      throw DataError(
        .malformed, at: reader.path,
        "it begins with the bytes \(found) instead of 0 0 8 \(rank), so it is not an IDX file of \(rank) axes",
        advice: "check that the file is the one its name says")
    }
    shape = (1...rank).map { axis in header[(4 * axis)..<(4 * axis + 4)].reduce(0) { $0 << 8 | Int($1) } }
    guard let count = shape.checkedElementCount, count > 0 else {
      throw DataError(.malformed, at: reader.path, "its header claims \(shape.shapeDescription) elements")
    }
  }

  /// Reads the elements, row-major, one byte each; the file must end with them.
  func elements() throws -> [UInt8] {
    let bytes = try reader.readExactly(shape.elementCount, of: "\(shape.shapeDescription) elements")
    try reader.expectEnd()
    return bytes
  }
}
