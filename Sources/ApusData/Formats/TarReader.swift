import ApusCore

/// Walks through a tar archive without writing anything: entries are read into memory or passed over.
///
/// Only names and sizes of regular files are looked at, so links, absolute paths and `..` in an archive have no effect.
struct TarReader {
  struct Entry {
    /// Without a leading `./`.
    var name: String
    var byteCount: Int
    var isRegularFile: Bool
  }

  private static let blockByteCount = 512
  /// A member above this is taken for a decompression bomb.
  private static let maximumMemberByteCount = 1 << 30

  let reader: ByteReader
  /// Content bytes left over from the current entry, with its padding.
  private var remaining = 0
  private var contentByteCount = 0

  /// - Parameter maximumByteCount: A longer archive is given up.
  init(path: String, maximumByteCount: Int) throws {
    reader = try ByteReader(path: path, maximumByteCount: maximumByteCount)
  }

  /// Goes to the next entry; `nil` at the archive's end.
  mutating func next() throws -> Entry? {
    try reader.skip(remaining, of: "an archive member")
    remaining = 0
    let header = try reader.readExactly(Self.blockByteCount, of: "an archive header")
    if header.allSatisfy({ $0 == 0 }) { return nil }

    // The checksum counts its own field as spaces.
    let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(header[$1])) }
    guard octal(header[148..<156]) == sum, let size = octal(header[124..<136]), size <= Self.maximumMemberByteCount
    else {
      throw DataError(
        .malformed, at: reader.path, "it is not a tar archive, or a damaged one",
        advice: "remove the file and let it be downloaded again")
    }
    let padded = (size + Self.blockByteCount - 1) / Self.blockByteCount * Self.blockByteCount
    contentByteCount = size
    remaining = padded
    let bytes = header[..<100].prefix { $0 != 0 }
    let name = String(decoding: bytes, as: UTF8.self)
    let type = header[156]
    return Entry(
      name: name.hasPrefix("./") ? String(name.dropFirst(2)) : name, byteCount: size,
      isRegularFile: type == UInt8(ascii: "0") || type == 0)
  }

  /// The content of the current entry.
  mutating func readContent() throws -> [UInt8] {
    let bytes = try reader.readExactly(contentByteCount, of: "an archive member")
    remaining -= bytes.count
    return bytes
  }

  /// A number in octal digits, framed by spaces or zero bytes; at most eleven digits, so it cannot overflow.
  private func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    guard !digits.isEmpty, digits.count <= 11 else { return nil }
    return digits.reduce(0 as Int?) { value, digit in
      guard let value, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { return nil }
      return value * 8 + Int(digit - UInt8(ascii: "0"))
    }
  }
}
