/// The first directory of a TIFF file; an EXIF block is one, too.
///
/// A byte order (`II` or `MM`), 42, the directory's offset; there the number of entries, and 12 bytes for each: tag, type,
/// count, and the value where it fits (TIFF 6.0, 2). BigTIFF has 43 and wider numbers.
struct TIFFDirectory {
  private let bytes: [UInt8]
  private let order: ByteOrder
  private let isBig: Bool

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    order = bytes.starts(with: [0x49, 0x49]) ? .littleEndian : .bigEndian
    isBig = bytes.count >= 4 && bytes[order == .littleEndian ? 2 : 3] == 43
  }

  /// What stands in a tag's entry: a whole number, or `nil` for another type or a field that is cut short.
  struct Entry { var value: Int? }

  /// The first entry of a tag; `nil` where there is none.
  func entry(of tag: Int) -> Entry? {
    guard let start = number(at: isBig ? 8 : 4, bytes: isBig ? 8 : 4),
      let count = number(at: start, bytes: isBig ? 8 : 2)
    else { return nil }
    let length = isBig ? 20 : 12
    var position = start + (isBig ? 8 : 2)
    for _ in 0..<min(count, bytes.count / length) {
      guard let found = number(at: position, bytes: 2), let type = number(at: position + 2, bytes: 2) else {
        return nil
      }
      if found == tag {
        // A short is usual; bytes, longs and signed ones are written, too. Small values stand at the field's beginning.
        let sizes = [1: 1, 3: 2, 4: 4, 8: 2, 9: 4, 16: 8]
        return Entry(value: sizes[type].flatMap { number(at: position + length - (isBig ? 8 : 4), bytes: $0) })
      }
      position += length
    }
    return nil
  }

  func value(of tag: Int) -> Int? { entry(of: tag)?.value }

  /// `nil` for what is not in the block, or too large for a place in it.
  private func number(at offset: Int, bytes count: Int) -> Int? {
    bytes.number(at: offset, bytes: count, order).flatMap { $0 <= Int(Int32.max) * 4 ? $0 : nil }
  }
}
